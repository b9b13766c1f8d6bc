#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs.py BIN [ROUNDS]: file operations on nacre-fs, fuse-overlayfs, kernel overlayfs and a bare
directory, all on one tmpfs; a fresh mount and upper each round. BIN is a build's bin folder.
NACRE_BENCH_PEER=NAME=PATH adds a program that takes fuse-overlayfs's arguments."""

import contextlib
import os
import random
import subprocess
import sys

import common
import fs_contenders

FILES = 1000
FULL_DIRECTORIES, FULL = 4, 3000
HUGE = 512  # MiB
# The lower layer, the copy of it in the bare directory, a copy by one that copies what it
# removes, and what the others write.
HUGE_NEEDS = 3 * HUGE + 1024


def write_file(path, mebibytes):
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(block)


def make_lower(path):
    os.makedirs(f"{path}/dir")
    for number in range(FILES):
        with open(f"{path}/dir/f{number}", "wb") as file:
            file.write(os.urandom(4096))
    for directory in range(FULL_DIRECTORIES):
        os.mkdir(f"{path}/full{directory}")
        for number in range(FULL):
            with open(f"{path}/full{directory}/entry{number}", "wb"):
                pass
    write_file(f"{path}/big", 64)
    if common.free_mebibytes() >= HUGE_NEEDS:
        write_file(f"{path}/huge", HUGE)
    else:
        print(f"note: no file of {HUGE} MiB is removed: that takes {HUGE_NEEDS} MiB of memory", file=sys.stderr)


class Runner:
    """A timing loop on one mount that waits for its turn before each operation."""

    def __init__(self, ops, target):
        self.loop = subprocess.Popen([ops, target, str(FILES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def take_turn(self):
        """The next operation and its nanoseconds; None when all are done."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.loop.stdin.fileno(), b"\n")
        line = self.loop.stdout.readline().decode()
        if line:
            operation, nanoseconds = line.rsplit(" ", 1)
            return operation, float(nanoseconds)
        if self.loop.wait() != 0:
            sys.exit(f"{' '.join(self.loop.args)}: exit status {self.loop.returncode}")
        return None

    def close(self):
        self.loop.stdin.close()
        self.loop.stdout.close()
        self.loop.wait()


def measure_round(ops, contenders, lower, shuffle, rows):
    """Mounts all contenders and lets them take turns at every single operation, in random order,
    so that what disturbs the machine disturbs an operation of all of them."""
    names = list(contenders)
    with contextlib.ExitStack() as stack:
        runners = {}
        for name in names:
            target = stack.enter_context(fs_contenders.mounted(contenders[name], lower))
            runners[name] = stack.enter_context(contextlib.closing(Runner(ops, target)))
        while True:
            shuffle.shuffle(names)
            results = {name: runners[name].take_turn() for name in names}
            if not all(results.values()):
                return
            for name, (operation, nanoseconds) in results.items():
                rows.setdefault(operation, {}).setdefault(name, []).append(nanoseconds)


def main():
    folder = common.prepare(__doc__)
    ops = common.timing_program(folder, "fs_ops")
    contenders = fs_contenders.contenders(folder)
    lower = f"{common.SCRATCH}/lower"
    make_lower(lower)
    rows = {}
    shuffle = random.Random(1)
    for _ in range(common.rounds(9)):
        measure_round(ops, contenders, lower, shuffle, rows)
    common.headline("File operations", [*fs_contenders.versions(), f"{FULL} entries in a full directory"])
    common.table("operation", rows, list(contenders), fs_contenders.base(contenders))


main()
