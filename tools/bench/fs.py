#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs.py BIN [ROUNDS]: file operations on nacre-fs, fuse-overlayfs, kernel overlayfs and a bare
directory, all on one tmpfs; a fresh mount and upper each round. BIN is a build's bin folder."""

import os
import shutil

import common

FILES = 1000


def make_lower(path):
    os.makedirs(f"{path}/dir")
    for number in range(FILES):
        with open(f"{path}/dir/f{number}", "wb") as file:
            file.write(os.urandom(4096))
    with open(f"{path}/big", "wb") as file:
        for _ in range(64):
            file.write(os.urandom(1 << 20))


def main():
    folder = common.prepare(__doc__)
    ops = common.timing_program(folder, "fs_ops")
    nacre_fs = common.program(folder, "nacre-fs")
    box = common.SCRATCH
    lower = f"{box}/lower"
    make_lower(lower)

    def measure(mount):
        for name in ("upper", "work", "mnt"):
            os.mkdir(f"{box}/{name}")
        options = f"lowerdir={lower},upperdir={box}/upper,workdir={box}/work"
        mount(options, f"{box}/mnt")
        try:
            lines = common.run([ops, f"{box}/mnt", str(FILES)]).splitlines()
        finally:
            if os.path.ismount(f"{box}/mnt"):
                common.run(["umount", f"{box}/mnt"])
            # The server ends once its file system is gone; the next round begins without it.
            for child in common.children():
                os.waitpid(child, 0)
            for name in ("upper", "work", "mnt"):
                shutil.rmtree(f"{box}/{name}")
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    contenders = {
        "fuse-overlayfs": lambda: measure(lambda o, d: common.run(["fuse-overlayfs", "-o", o, d])),
        "kernel overlayfs": lambda: measure(lambda o, d: common.run(["mount", "-t", "overlay", "-o", o, "overlay", d])),
        "bare directory": lambda: measure(lambda _, d: common.run(["cp", "-a", f"{lower}/.", d])),
    }
    if nacre_fs:
        contenders = {"nacre-fs": lambda: measure(lambda o, d: common.run([nacre_fs, "-o", o, d])), **contenders}
    results = common.interleave(contenders, common.rounds(9))
    rows = {op: {name: [r[op] for r in results[name]] for name in contenders} for op in results["bare directory"][0]}
    common.headline("File operations", [common.version(["fuse-overlayfs", "--version"])])
    common.table("operation", rows, list(contenders), "nacre-fs" if nacre_fs else "fuse-overlayfs")


main()
