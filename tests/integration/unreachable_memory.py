#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""unreachable_memory.py FILE: calls sysinfo(2) with memory that lies in FILE, on a file system of ours that never
answers a read. Says "held" once somebody waits for it, and ends on SIGTERM; then so does the wait."""

import ctypes
import mmap
import os
import platform
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from procfs_trap import NUMBERS  # noqa: E402

GETATTR, OPEN, READ, INIT = 3, 14, 15, 26
ENOSYS = 38
ATTRIBUTES = struct.pack("<6Q10I", 1, 1 << 16, 128, 0, 0, 0, 0, 0, 0, 0o100666, 1, 0, 0, 0, 4096, 0)
ANSWERS = {
    INIT: struct.pack("<IIIIHHIIHHI", 7, 31, 0, 0, 0, 0, 1 << 16, 1, 0, 0, 0) + bytes(28),
    GETATTR: struct.pack("<QII", 1000, 0, 0) + ATTRIBUTES,
    OPEN: struct.pack("<QII", 1, 0, 0),
}


def call(path):
    file = os.open(path, os.O_RDWR)
    memory = mmap.mmap(file, 1 << 16, flags=mmap.MAP_PRIVATE)
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    ctypes.CDLL(None).syscall(NUMBERS[platform.machine()][2], ctypes.c_void_p(place))


def serve(device):
    while True:
        request = os.read(device, 1 << 18)
        _, opcode, unique = struct.unpack_from("<IIQ", request)
        if opcode == READ:
            print("held", flush=True)
            continue
        answer = ANSWERS.get(opcode)
        error = 0 if answer is not None else -ENOSYS
        answer = answer or b""
        os.write(device, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)


def main(path):
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=100666,user_id=0,group_id=0,allow_other"
    if ctypes.CDLL(None, use_errno=True).mount(b"test", path.encode(), b"fuse", 0, options.encode()) != 0:
        sys.exit(f"mount on {path}: {os.strerror(ctypes.get_errno())}")
    if os.fork() == 0:
        os.close(device)
        call(path)
        os._exit(0)
    serve(device)


if __name__ == "__main__":
    main(sys.argv[1])
