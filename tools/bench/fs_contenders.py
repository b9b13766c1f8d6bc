# SPDX-License-Identifier: Apache-2.0
"""The file systems that fs.py and fs_work.py compare, and fresh mounts of them."""

import contextlib
import os
import shutil
import sys
import tempfile

import common

BARE = "bare directory"


def fuse(program):
    return lambda _lower, options, target: common.run([program, "-o", options, target])


def kernel(_lower, options, target):
    common.run(["mount", "-t", "overlay", "-o", options, "overlay", target])


def bare(lower, _options, target):
    common.run(["cp", "-a", f"{lower}/.", target])


def contenders(folder):
    """{name: how to mount}. One more program that takes fuse-overlayfs's arguments joins in when
    the environment says NACRE_BENCH_PEER=NAME=PATH."""
    programs = {}
    if nacre_fs := common.program(folder, "nacre-fs"):
        programs["nacre-fs"] = nacre_fs
    programs["fuse-overlayfs"] = "fuse-overlayfs"
    if peer := os.environ.get("NACRE_BENCH_PEER"):
        name, _, path = peer.partition("=")
        if not name or name in (*programs, "kernel overlayfs", BARE) or not os.access(path, os.X_OK):
            sys.exit(f"NACRE_BENCH_PEER={peer}: give NAME=PATH, a name of its own and a program")
        programs[name] = path
    return {**{name: fuse(path) for name, path in programs.items()}, "kernel overlayfs": kernel, BARE: bare}


def base(columns):
    """The column that the others are compared with."""
    return next(iter(columns))


def versions():
    return [common.version(["fuse-overlayfs", "--version"], about="fuse-overlayfs").replace(": version", "")]


@contextlib.contextmanager
def mounted(mount, lower):
    """A fresh mount over `lower` with an upper of its own; its server has ended afterwards."""
    box = tempfile.mkdtemp(dir=common.SCRATCH, prefix="mount.")
    target = f"{box}/mnt"
    try:
        for name in ("upper", "work", "mnt"):
            os.mkdir(f"{box}/{name}")
        others = set(common.children())
        mount(lower, f"lowerdir={lower},upperdir={box}/upper,workdir={box}/work", target)
        servers = set(common.children()) - others
        try:
            yield target
        finally:
            if os.path.ismount(target):
                common.run(["umount", target])
            for server in servers:
                os.waitpid(server, 0)
    finally:
        shutil.rmtree(box)
