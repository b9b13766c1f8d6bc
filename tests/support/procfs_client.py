#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks base/control/protocol.h with nacre-procfs, and attaches what it answers.

procfs_client.py hello|status|remove ID|add ID PID CGROUP [DIR]
  add with DIR attaches every mount below DIR (its directories and files are made).
"""
import ctypes
import json
import os
import socket
import stat
import sys

SYS_MOVE_MOUNT = 429
MOVE_MOUNT_F_EMPTY_PATH = 4


class Client:
    def __init__(self, path=None, version=1):
        directory = os.environ.get("NACRE_PROCFS_DIR", "/run/nacre/procfs")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(path or directory + "/control")
        self.greeting = self.call({"op": "hello", "version": version})[0]

    def call(self, request, fds=()):
        text = request if isinstance(request, bytes) else json.dumps(request).encode()
        socket.send_fds(self.socket, [text], list(fds))
        answer, received, _, _ = socket.recv_fds(self.socket, 1 << 16, 64)
        return json.loads(answer), received

    def add(self, name, pid, cgroup, **more):
        return self.call({"op": "add", "id": name, "init": pid, "cgroup": cgroup, **more})


def attach(fd, target):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(SYS_MOVE_MOUNT, fd, b"", -100, target.encode(), MOVE_MOUNT_F_EMPTY_PATH) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def main(arguments):
    client = Client()
    command = arguments[0]
    if command == "hello":
        answer, fds = client.greeting, []
    elif command == "add":
        answer, fds = client.add(arguments[1], int(arguments[2]), arguments[3])
    elif command == "remove":
        answer, fds = client.call({"op": "remove", "id": arguments[1]})
    else:
        answer, fds = client.call({"op": command})
    if command == "add" and len(arguments) > 4 and "error" not in answer:
        for target, fd in zip(answer["targets"], fds):
            place = arguments[4] + target
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                os.makedirs(place, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(place), exist_ok=True)
                open(place, "a").close()
            attach(fd, place)
    print(json.dumps(answer))
    return 1 if "error" in answer else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
