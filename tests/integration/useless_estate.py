#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""useless_estate.py NACRE-PROCFS: a service manager that has kept what this daemon cannot use (of another version, or not
all of it) is told to drop it before anything else is kept under these names. In $T; the daemon is ended."""

import os
import signal
import socket
import sys

names = ["state", "fuse", "l-1-2"]
path = os.environ["T"] + "/notify-useless"
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
notify.settimeout(10)
child = os.fork()
if child == 0:
    junk = os.memfd_create("junk")
    for i, fd in enumerate([os.dup2(os.dup(junk), 100 + i) for i in range(len(names))]):
        os.dup2(fd, 3 + i)
    os.closerange(3 + len(names), 1024)
    os.execve(sys.argv[1], ["nacre-procfs", "--foreground"],
              {**os.environ, "NOTIFY_SOCKET": path, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(names)),
               "LISTEN_FDNAMES": ":".join(names)})
heard = []
while "READY=1" not in heard:
    heard.append(notify.recv(4096).decode())
os.kill(child, signal.SIGTERM)
assert os.waitpid(child, 0)[1] == 0
for name in names:
    dropped = heard.index(f"FDSTOREREMOVE=1\nFDNAME={name}")
    assert all(heard.index(text) > dropped for text in heard if text.endswith("FDNAME=" + name) and "FDSTORE=1" in text), heard
