#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill_daemon.py KEEPER TIMES: kills the daemon of that keeper again and again, as soon as there is another one, after a
random moment; before every tenth it has one replaced as an upgrade does (SIGHUP). "KILLED daemons" at the end."""

import os
import random
import signal
import sys
import time

keeper, times = int(sys.argv[1]), int(sys.argv[2])
chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
# Where everything takes longer a daemon does too until it serves; one that never came so far would prove nothing.
slower = int(os.environ.get("NACRE_TEST_SCALE", "1"))


def daemon():
    with open(f"/proc/{keeper}/task/{keeper}/children", encoding="ascii") as children:
        return next(map(int, children.read().split()), None)


killed, last, planned = 0, None, False
deadline = time.monotonic() + slower * (60 + times)
while killed < times:
    if time.monotonic() > deadline:
        sys.exit(f"no daemon came back after {killed} kills")
    now = daemon()
    if now is None or now == last:
        time.sleep(0.001)
        continue
    time.sleep(chance.choice([0.0, 0.002, 0.01, 0.02, 0.05, 0.1]) * chance.random() * slower)
    planned = killed % 10 == 9 and not planned
    if planned:
        os.kill(keeper, signal.SIGHUP)
    else:
        os.kill(now, signal.SIGKILL)
        killed += 1
    last = now
print(killed, "daemons")
