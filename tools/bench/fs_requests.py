#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_requests.py BIN: how many requests the kernel sends to nacre-fs and to fuse-overlayfs for one
file operation, and which: what an operation costs beside the work of the server. Counted with strace.
BIN is a build's bin folder."""

import collections
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import common
import fs_contenders

TIMES = 20
BLOCK = b"x" * 4096
# Source: enum fuse_opcode of linux/fuse.h.
OPCODES = {1: "LOOKUP", 2: "FORGET", 3: "GETATTR", 4: "SETATTR", 8: "MKNOD", 9: "MKDIR", 10: "UNLINK", 11: "RMDIR",
           12: "RENAME", 14: "OPEN", 15: "READ", 16: "WRITE", 18: "RELEASE", 20: "FSYNC", 21: "SETXATTR", 22: "GETXATTR",
           25: "FLUSH", 27: "OPENDIR", 28: "READDIR", 29: "RELEASEDIR", 35: "CREATE", 36: "INTERRUPT",
           42: "BATCH_FORGET", 44: "READDIRPLUS", 45: "RENAME2", 46: "LSEEK", 52: "STATX"}
UNANSWERED = {"FORGET", "BATCH_FORGET"}


def read_file(path):
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, len(BLOCK))
    os.close(fd)


def write_file(path, flags, data=BLOCK):
    fd = os.open(path, os.O_WRONLY | flags, 0o644)
    os.write(fd, data)
    os.close(fd)


def absent(path):
    with contextlib.suppress(FileNotFoundError):
        os.stat(path)


class Written:
    """Files that stay open for writing."""

    def __init__(self):
        self.files = []

    def open(self, path):
        self.files.append(os.open(path, os.O_WRONLY))

    def write_and_stat(self, path, number):
        os.pwrite(self.files[number], BLOCK, 0)
        os.stat(path)

    def close(self, number):
        os.close(self.files[number])
        if number == TIMES - 1:
            self.files.clear()


WRITTEN = Written()
# In this order: each finds what the ones before it have left.
OPERATIONS = {
    "stat, first time": lambda root, i: os.stat(f"{root}/dir/f{i}"),
    "stat, again": lambda root, i: os.stat(f"{root}/dir/f{i}"),
    "stat of a missing name": lambda root, i: absent(f"{root}/dir/missing{i}"),
    "stat of a missing name, again": lambda root, i: absent(f"{root}/dir/missing{i}"),
    "open, read 4 KiB, close, lower file, first time": lambda root, i: read_file(f"{root}/dir/f{i}"),
    "open, read 4 KiB, close, lower file, again": lambda root, i: read_file(f"{root}/dir/f{i}"),
    "list a directory of 20, first time": lambda root, i: os.listdir(f"{root}/full{i}"),
    "list a directory of 20, again": lambda root, i: os.listdir(f"{root}/full{i}"),
    "create, write 4 KiB, close": lambda root, i: write_file(f"{root}/new/f{i}", os.O_CREAT | os.O_EXCL),
    "stat after that": lambda root, i: os.stat(f"{root}/new/f{i}"),
    "open an upper file": lambda root, i: WRITTEN.open(f"{root}/new/f{i}"),
    "write 4 KiB and stat": lambda root, i: WRITTEN.write_and_stat(f"{root}/new/f{i}", i),
    "close it": lambda root, i: WRITTEN.close(i),
    "open, read 4 KiB, close, upper file": lambda root, i: read_file(f"{root}/new/f{i}"),
    "rename": lambda root, i: os.rename(f"{root}/new/f{i}", f"{root}/new/r{i}"),
    "unlink": lambda root, i: os.unlink(f"{root}/new/r{i}"),
    "mkdir": lambda root, i: os.mkdir(f"{root}/new/d{i}"),
    "rmdir": lambda root, i: os.rmdir(f"{root}/new/d{i}"),
    "first write to a lower file of 4 KiB": lambda root, i: write_file(f"{root}/dir/f{i}", 0, b"x"),
    "unlink a lower file": lambda root, i: os.unlink(f"{root}/dir/g{i}"),
}


def make_lower(path):
    os.makedirs(f"{path}/dir")
    for number in range(TIMES):
        for name in (f"dir/f{number}", f"dir/g{number}"):
            with open(f"{path}/{name}", "wb") as file:
                file.write(BLOCK)
        os.mkdir(f"{path}/full{number}")
        for entry in range(20):
            with open(f"{path}/full{number}/{entry}", "wb"):
                pass


@contextlib.contextmanager
def traced(servers):
    """Yields a counter of requests by name, which is filled at the end."""
    counts = collections.Counter()
    with tempfile.NamedTemporaryFile("r", encoding="latin1") as log:
        command = ["strace", "-f", "-y", "-xx", "-s", "8", "-e", "trace=read", "-o", log.name]
        tracer = subprocess.Popen(command + [f"-p{pid}" for pid in servers], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        yield counts
        time.sleep(0.2)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        device = re.escape("".join(f"\\x{byte:02x}" for byte in b"/dev/fuse"))
        whole = re.compile(rf"read\(\d+<{device}.*>, \"((?:\\x[0-9a-f]{{2}}){{8}})\"")
        begun = re.compile(rf"^(\d+) .*read\(\d+<{device}.*>, +<unfinished")
        resumed = re.compile(r"^(\d+) .*read resumed> ?\"((?:\\x[0-9a-f]{2}){8})\"")
        waiting = {str(task) for pid in servers for task in os.listdir(f"/proc/{pid}/task")}
        for line in log:
            if start := begun.search(line):
                waiting.add(start.group(1))
            end = resumed.search(line)
            found = whole.search(line) or (end if end and end.group(1) in waiting else None)
            if end:
                waiting.discard(end.group(1))
            if found:
                number = int.from_bytes(bytes.fromhex(found.group(found.lastindex).replace("\\x", ""))[4:], "little")
                if number in OPCODES:  # a read that ended with nothing shows what was there before
                    counts[OPCODES[number]] += 1


def told(counts):
    """"4.0: LOOKUP, CREATE, …": the mean number of requests that are answered, and what makes it up."""
    answered = sum(count for name, count in counts.items() if name not in UNANSWERED) / TIMES
    names = [name + (f" {count / TIMES:.1f}" if round(count / TIMES, 1) != 1 else "")
             for name, count in sorted(counts.items(), key=lambda item: -item[1])
             if name not in UNANSWERED and round(count / TIMES, 1) >= 0.1]
    return f"{answered:.1f}" + (": " + ", ".join(names) if names else "")


def main():
    folder = common.prepare(__doc__)
    lower = f"{common.SCRATCH}/lower"
    make_lower(lower)
    rows = {operation: {} for operation in OPERATIONS}
    programs = [name for name in fs_contenders.contenders(folder) if name not in ("kernel overlayfs", fs_contenders.BARE)]
    for name in programs:
        before = set(common.children())
        with fs_contenders.mounted(fs_contenders.contenders(folder)[name], lower) as target:
            servers = set(common.children()) - before
            os.mkdir(f"{target}/new")
            for operation, act in OPERATIONS.items():
                with traced(servers) as counts:
                    for number in range(TIMES):
                        act(target, number)
                rows[operation][name] = told(counts)
    print("### Requests of one operation\n")
    print(f"`{' '.join(sys.argv)}`; {'; '.join(fs_contenders.versions())}\n")
    print("| operation | " + " | ".join(programs) + " |")
    print("|---" * (len(programs) + 1) + "|")
    for operation, columns in rows.items():
        print(f"| {operation} | " + " | ".join(columns[name] for name in programs) + " |")


if __name__ == "__main__":
    main()
