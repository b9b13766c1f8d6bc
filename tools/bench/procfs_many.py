#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""procfs_many.py BIN [SECONDS]: nacre-procfs with many containers. 1000 of them, sleepers in cgroups and mount
namespaces of their own, are each read once a second by 8 readers for SECONDS (300); then 10000 are registered
and left alone. BIN is a build's bin folder."""

import os
import socket
import statistics
import subprocess
import sys
import threading
import time

import common

sys.path.insert(0, f"{common.ROOT}/tests/support")
from procfs_client import Client
from procfs import GROUP, Cgroups, Daemon

RUNNING = 1000
REGISTERED = 10000
READERS = 8
BUSY = 200_000  # nanoseconds
FILES = ["meminfo", "stat", "cpuinfo", "uptime", "loadavg"]


class Sleepers:
    """Processes that do nothing, each in cgroups and a mount namespace of its own."""

    def __init__(self, cgroups, count):
        self.processes = []
        for number in range(count):
            def enter(number=number):
                for folder in cgroups.folders:
                    Cgroups.write(f"{folder}/{number}", "cgroup.procs", "0")
            self.processes.append(subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sleep", "inf"],
                                                   stdin=subprocess.DEVNULL, preexec_fn=enter))
        for process in self.processes:
            while os.readlink(f"/proc/{process.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt"):
                time.sleep(0.01)

    def stop(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


class Reader:
    """Reads a file of each of its containers in every second, another one each time."""

    def __init__(self, pids, seconds):
        self.pids, self.seconds = pids, seconds
        self.times, self.failures = [], []
        self.thread = threading.Thread(target=self.work)

    def work(self):
        start = time.monotonic()
        for second in range(self.seconds):
            name = FILES[second % len(FILES)]
            for index, pid in enumerate(self.pids):
                due = start + second + index / len(self.pids)
                time.sleep(max(due - time.monotonic(), 0))
                self.read(f"/proc/{pid}/root/proc/{name}")

    def read(self, path):
        began = time.perf_counter_ns()
        try:
            file = os.open(path, os.O_RDONLY)
            try:
                size = 0
                while text := os.read(file, 65536):
                    size += len(text)
            finally:
                os.close(file)
            if size == 0:
                self.failures.append(f"{path}: empty")
        except OSError as error:
            self.failures.append(str(error))
        self.times.append(time.perf_counter_ns() - began)


def percentile(values, part):
    return sorted(values)[int((len(values) - 1) * part)]


def report(name, value):
    print(f"| {name} | {value} |")


def read_running(folder, daemon, cgroups, seconds):
    sleepers = Sleepers(cgroups, RUNNING)
    try:
        for process in sleepers.processes:
            common.run([f"{folder}/nacre", "attach", str(process.pid)])
        share = RUNNING // READERS
        pids = [process.pid for process in sleepers.processes]
        readers = [Reader(pids[i * share:(i + 1) * share], seconds) for i in range(READERS)]
        used, start = daemon.used(), time.monotonic()
        for reader in readers:
            reader.thread.start()
        for reader in readers:
            reader.thread.join()
        spent = time.monotonic() - start
        used = (daemon.used() - used) / 1e9
        times = [value for reader in readers for value in reader.times]
        failures = [failure for reader in readers for failure in reader.failures]
        report(f"readings of {RUNNING} running containers, in {spent:.0f} s", len(times))
        report("of them failed", len(failures))
        report("a reading: median, 99th percentile, longest",
               ", ".join(common.show(value) for value in (statistics.median(times), percentile(times, 0.99), max(times))))
        report("the daemon's processor time, percent of one", f"{100 * used / spent:.1f}")
        report("its resident memory", common.show_bytes(daemon.memory()))
        for failure in failures[:5]:
            print(f"failed: {failure}", file=sys.stderr)
    finally:
        sleepers.stop()


def count_to(number):
    start = time.perf_counter_ns()
    for _ in range(number):
        pass
    return time.perf_counter_ns() - start


class Echo:
    """A process that counts for a while and answers with what it was given: how often does the machine itself hold up
    an exchange of about a registration's length?"""

    def __init__(self, answer, mounts, busy):
        number = busy * 10_000 // min(count_to(10_000) for _ in range(100))
        self.socket, served = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            self.socket.close()
            while served.recv(1 << 16):
                count_to(number)
                socket.send_fds(served, [answer], mounts)
            os._exit(0)
        served.close()

    def exchange(self, message):
        start = time.perf_counter_ns()
        self.socket.send(message)
        _, mounts, _, _ = socket.recv_fds(self.socket, 1 << 16, 64)
        taken = time.perf_counter_ns() - start
        for mount in mounts:
            os.close(mount)
        return taken

    def stop(self):
        self.socket.close()
        os.waitpid(self.pid, 0)


def report_times(what, times):
    report(f"{what}: mean, median, 99th percentile, longest",
           ", ".join(common.show(value) for value in
                     (statistics.mean(times), statistics.median(times), percentile(times, 0.99), max(times))))
    report("of them longer than 1 ms", sum(value > 1_000_000 for value in times))


def register(daemon, count):
    init = subprocess.Popen(["sleep", "inf"], stdin=subprocess.DEVNULL)
    try:
        before = daemon.memory()
        control = Client()
        times, floor, held = [], [], []
        answer, mounts = control.add("first", init.pid, f"{GROUP}/0")
        if "error" in answer:
            sys.exit(f"nacre-procfs: {answer['error']}")
        echo = Echo(b"." * 320, mounts, BUSY)
        for mount in mounts:
            os.close(mount)
        control.call({"op": "remove", "id": "first"})
        for number in range(count):
            floor.append(echo.exchange(b"." * 80))
            start = time.perf_counter_ns()
            answer, mounts = control.add(f"c{number}", init.pid, f"{GROUP}/{number}")
            times.append(time.perf_counter_ns() - start)
            if "error" in answer:
                sys.exit(f"nacre-procfs: {answer['error']}")
            # Kept until the next registration, as by whoever attaches them. Closed at once, the daemon's would be the
            # last references, and letting go of a mount that is attached nowhere takes 0.2 ms.
            for mount in held:
                os.close(mount)
            held = mounts
        echo.stop()
        report_times(f"registration of {count}", times)
        report_times(f"in turns with them, messages to a process that counts for {common.show(BUSY)} and answers", floor)
        report("resident memory before and after", f"{common.show_bytes(before)}, {common.show_bytes(daemon.memory())}")
        report("descriptors", max(len(os.listdir(f"/proc/{pid}/fd")) for pid in daemon.pids()))
        control.socket.close()
        for mount in held:
            os.close(mount)
        time.sleep(12)  # until what was used is let go
        used, switches = daemon.used(), daemon.switches()
        time.sleep(20)
        report("processor time in 20 s of idleness", common.show(daemon.used() - used))
        report("times it woke up in them", daemon.switches() - switches)
    finally:
        init.kill()
        init.wait()


def main():
    folder = common.prepare(__doc__)
    seconds = common.rounds(300)
    box = common.SCRATCH
    os.mkdir(f"{box}/nacre")
    os.environ["NACRE_PROCFS_DIR"] = f"{box}/nacre"

    def start():
        return Daemon("nacre-procfs", "", [f"{folder}/nacre-procfs", "-f", "--dir", f"{box}/nacre"], f"{box}/nacre/control")

    common.headline("Many containers", ["cgroups of 256 MiB and one CPU"])
    print("| | nacre-procfs |\n|---|---:|")
    for count, measure in ((RUNNING, lambda: read_running(folder, daemon, cgroups, seconds)),
                           (REGISTERED, lambda: register(daemon, REGISTERED))):
        cgroups = Cgroups(count)
        daemon = start()
        try:
            measure()
        finally:
            daemon.stop()
            cgroups.remove()


main()
