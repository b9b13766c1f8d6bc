#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""service_manager.py SERVICE COMMAND…: what systemd does for a Type=notify service with a descriptor store
(sd_notify(3), sd_listen_fds(3)). Runs the service's ExecStart, whose program is replaced by COMMAND, and prints a line for
each start that is ready: its pid and how many descriptors are kept. It is started again whenever it ends, until this
program gets SIGTERM; then it gets SIGTERM too, and what is kept goes. A service with WatchdogSec that says nothing for
WATCHDOG seconds (of the environment) is killed."""

import array
import os
import select
import shlex
import signal
import socket
import sys
import time

with open(sys.argv[1], encoding="utf-8") as file:
    unit = dict(line.strip().split("=", 1) for line in file if "=" in line and not line.startswith("#"))
assert unit["Type"] == "notify" and int(unit["FileDescriptorStoreMax"]) > 1000, unit
command = sys.argv[2:] + shlex.split(unit["ExecStart"])[1:]

path = os.environ["T"] + "/notify-socket"
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(path)
notify.settimeout(0.02)
kept, going = {}, True
watchdog = float(os.environ.get("WATCHDOG", unit["WatchdogSec"]))
heard = None  # when it said that it is alive; None: it has not begun to


def stop(*_):
    global going
    going = False
    os.kill(child, signal.SIGTERM)


def start():
    pid = os.fork()
    if pid:
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_PID": str(os.getpid()),
                   "WATCHDOG_USEC": str(int(watchdog * 1e6))}
    if kept:
        lifted = [os.dup2(os.dup(fd), 200 + i) for i, fd in enumerate(kept.values())]
        for i, fd in enumerate(lifted):
            os.dup2(fd, 3 + i)
        os.closerange(3 + len(lifted), 1024)
        environment.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(kept)), LISTEN_FDNAMES=":".join(kept))
    os.execve(command[0], command, environment)


def can_be_polled(fd):
    """What service_add_fd_store() asks of a descriptor: regular files pass, those opened with O_PATH do not."""
    with select.epoll() as epoll:
        try:
            epoll.register(fd, 0)
        except PermissionError:
            pass
        except OSError:
            return False
    return True


def listen():
    global heard
    fds = array.array("i")
    try:
        text, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_LEN(fds.itemsize))
    except TimeoutError:
        return
    for _, _, data in ancillary:
        fds.frombytes(data)
    words = dict(line.split("=", 1) for line in text.decode().splitlines())
    if "FDSTORE" in words and words.get("FDPOLL") != "0" and not can_be_polled(fds[0]):
        os.close(fds[0])
    elif "FDSTORE" in words:
        kept[words["FDNAME"]] = fds[0]
    elif "FDSTOREREMOVE" in words:
        os.close(kept.pop(words["FDNAME"]))
    if "READY" in words or "WATCHDOG" in words:
        heard = time.monotonic()
    if "READY" in words:
        print(child, len(kept), flush=True)


child = start()
signal.signal(signal.SIGTERM, stop)
while True:
    listen()
    if heard is not None and time.monotonic() - heard > watchdog:
        os.kill(child, signal.SIGKILL)
        heard = None
    ended, _ = os.waitpid(child, os.WNOHANG)
    if ended:
        heard = None
        if not going:
            break
        child = start()
