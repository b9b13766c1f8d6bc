# SPDX-License-Identifier: Apache-2.0
"""pressure_trigger.py DIRECTORY [KEEPER]: waits for CPU pressure by DIRECTORY/cpu, which nobody feels before the
processes that are started here; meanwhile the daemon of KEEPER is killed. Exits with 77 where the container's
pressure is not counted."""
import errno
import os
import select
import signal
import subprocess
import sys
import threading
import time

TRIGGER = b"some 50000 2000000\0"


def refused(path, text):
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(fd, text)
        return 0
    except OSError as error:
        return error.errno
    finally:
        os.close(fd)


def waiting(path):
    """A poll object for a trigger, and its descriptor."""
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    os.write(fd, TRIGGER)
    poll = select.poll()
    poll.register(fd, select.POLLPRI)
    return poll, fd


def main():
    path = sys.argv[1] + "/cpu"
    if refused(path, TRIGGER) == errno.EOPNOTSUPP:
        sys.exit(77)
    for nonsense in (b"some", b"none 1000 2000000", b"some 100000 500000", b"some 0 0", b"full 9000000 2000000"):
        assert refused(path, nonsense) == errno.EINVAL, nonsense
    first, fd = waiting(path)
    second, _ = waiting(path)
    try:
        os.write(fd, TRIGGER)
        sys.exit("a second trigger of one file is accepted")
    except OSError as error:
        assert error.errno == errno.EBUSY, error
    assert first.poll(200) == [], "pressure without work"
    # One who waits already when the daemon is killed.
    seen = []
    waiter = threading.Thread(target=lambda: seen.extend(first.poll(30000)))
    waiter.start()
    time.sleep(0.2)
    if len(sys.argv) > 2:
        with open(f"/proc/{sys.argv[2]}/task/{sys.argv[2]}/children", encoding="ascii") as children:
            os.kill(int(children.read()), signal.SIGKILL)
        time.sleep(0.2)
    assert not seen, f"pressure by a kill: {seen}"
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
    try:
        waiter.join()
        assert seen and seen[0][1] == select.POLLPRI, seen
        for each in (first, second, first):  # it comes again while there is any
            events = each.poll(20000)
            assert events and events[0][1] == select.POLLPRI, events
    finally:
        for burner in burners:
            burner.kill()
    # Without a trigger there is nothing to wait for.
    bare = select.poll()
    bare.register(os.open(path, os.O_RDONLY), select.POLLPRI)
    assert bare.poll(0)[0][1] & select.POLLERR
    assert open(path, encoding="ascii").read().startswith("some avg10=")


main()
