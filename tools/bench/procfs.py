#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""procfs.py BIN [ROUNDS]: the files of the container's view, of nacre-procfs, lxcfs and the host, beside a
file system that answers at once: how long a reading takes, alone, of a file that stays open, by eight threads, of
200 containers, and what it costs the daemon. Reading ends when there is nothing more, and in tables "until a short
read" when a read(2) did not fill the buffer. One reader's readings are measured once with the daemon on the same
processor and once wherever the scheduler puts them. BIN is a build's bin folder."""

import contextlib
import glob
import os
import subprocess
import sys
import time

import common

FILES = ["meminfo", "cpuinfo", "stat", "uptime", "loadavg", "swaps", "diskstats", "vmstat", "partitions",
         "zoneinfo", "interrupts", "softirqs", "slabinfo", "pressure/cpu"]
PATHS = [f"/proc/{name}" for name in FILES] + ["/sys/devices/system/cpu/online", "/sys/devices/system/node/node0/meminfo"]
OF_MANY = [f"/proc/{name}" for name in ("meminfo", "cpuinfo", "stat", "uptime", "loadavg")]
MANY = 200
HOW = {"": "", "-short": ", until a short read"}
GROUP = f"/nacre-bench.{os.getpid()}"


class Cgroups:
    """Cgroups of one CPU and 256 MiB in every hierarchy there is, in a folder of our own."""

    LIMITS = {"memory.limit_in_bytes": "268435456", "memory.max": "268435456", "cpu.cfs_quota_us": "100000",
              "cpu.max": "100000 100000"}
    INHERITED = ("cpuset.cpus", "cpuset.mems")

    def __init__(self, count):
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            mounts = [line.split() for line in file]
        roots = dict.fromkeys(m[4] for m in mounts if m[m.index("-") + 1] in ("cgroup", "cgroup2"))
        self.folders = [root + GROUP for root in roots if os.access(root, os.W_OK)]
        self.count = count
        for folder in self.folders:
            self.make(folder)
            controllers = f"{folder}/cgroup.controllers"
            if os.path.exists(controllers):
                with open(controllers, encoding="ascii") as file:
                    self.write(folder, "cgroup.subtree_control", " ".join(f"+{name}" for name in file.read().split()))
            for number in range(count):
                self.make(f"{folder}/{number}")
                for name, value in self.LIMITS.items():
                    if os.path.exists(f"{folder}/{number}/{name}"):
                        self.write(f"{folder}/{number}", name, value)

    def make(self, folder):
        os.mkdir(folder)
        for name in self.INHERITED:
            if os.path.exists(f"{folder}/{name}") and not os.path.exists(f"{folder}/cgroup.controllers"):
                with open(f"{folder}/../{name}", encoding="ascii") as parent:
                    self.write(folder, name, parent.read())

    @staticmethod
    def write(folder, name, value):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write(value)

    def remove(self):
        for folder in self.folders:
            for path in [f"{folder}/{number}" for number in range(self.count)] + [folder]:
                for _ in range(50):
                    try:
                        os.rmdir(path)
                        break
                    except OSError:
                        time.sleep(0.1)


def used_by(task):
    """Nanoseconds for which a process or thread of /proc ran; none of one that has ended."""
    try:
        with open(f"{task}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Daemon:
    def __init__(self, name, prefix, command, ready):
        """Started when the path `ready` is there; files are read below `prefix`."""
        self.name = name
        self.prefix = prefix
        self.readings = 0
        with open(f"{common.SCRATCH}/{name}.log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(100):
            if os.path.exists(ready):
                break
            if self.process.poll() is not None:
                sys.exit(f"{command[0]} did not start: see {log.name}")
            time.sleep(0.05)
        self.used_before = self.used()

    def pids(self):
        """The process and those it started: which of them serves is its own affair."""
        pids = [self.process.pid]
        for pid in pids:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                pids += [int(child) for child in file.read().split()]
        return pids

    def threads(self):
        return [path for pid in self.pids() for path in glob.glob(f"/proc/{pid}/task/*")]

    def used(self):
        """Nanoseconds of processor time, of threads that still live."""
        return sum(used_by(thread) for thread in self.threads())

    def switches(self):
        """How often its threads were given a processor after they had waited for something."""
        total = 0
        for thread in self.threads():
            with open(f"{thread}/status", encoding="utf-8") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
        return total

    def run_on(self, cpus):
        for thread in self.threads():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(os.path.basename(thread)), cpus)

    def cost(self):
        """Nanoseconds of processor time for 1000 readings, since the last call."""
        used, readings = self.used(), self.readings
        cost = (used - self.used_before) * 1000 / max(readings, 1)
        self.used_before, self.readings = used, 0
        return cost

    def memory(self):
        """Resident bytes."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
        return total

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_daemons(folder, box):
    for name in ("floor", "lxcfs", "nacre"):
        os.mkdir(f"{box}/{name}")
    daemons = [Daemon("floor", f"{box}/floor/", [common.timing_program(folder, "floor_fs"), f"{box}/floor"],
                      f"{box}/floor/file")]
    if nacre := common.program(folder, "nacre-procfs"):
        os.environ["NACRE_PROCFS_DIR"] = f"{box}/nacre"
        daemons.append(Daemon("nacre-procfs", "nacre:", [nacre, "-f", "--dir", f"{box}/nacre"], f"{box}/nacre/control"))
    daemons.append(Daemon("lxcfs", f"{box}/lxcfs", ["lxcfs", "-f", "--enable-cfs", "-l", "-p", f"{box}/lxcfs.pid",
                                                    f"{box}/lxcfs"], f"{box}/lxcfs/proc/meminfo"))
    return daemons


@contextlib.contextmanager
def one_processor(daemons):
    """A reader on the processor of the daemon it reads from: otherwise a reading takes up to four times as long whenever
    the scheduler has put them on two, which it does for seconds on end."""
    cpus = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {max(cpus)})
        for daemon in daemons:
            daemon.run_on({max(cpus)})
        yield
    finally:
        os.sched_setaffinity(0, cpus)
        for daemon in daemons:
            daemon.run_on(cpus)


def readable(path):
    try:
        with open(path, "rb") as file:
            file.read()
        return True
    except OSError:
        return False


class Reading:
    """Rounds of one way of reading all daemons' files: medians and slow ones by file and daemon."""

    def __init__(self, program, daemons, cgroups):
        self.program = program
        self.daemons = daemons
        self.cgroups = cgroups

    def places(self, paths):
        """{what to open: (file, daemon or None for the host)}"""
        places = {}
        for path in paths:
            for daemon in self.daemons:
                place = f"{daemon.prefix}{'file' if daemon.name == 'floor' else path}"
                if daemon.name != "lxcfs" or readable(place):
                    # The floor's file is one; a doubled slash makes it as many as there are rows.
                    place = place.replace("/file", "/" * (paths.index(path) + 1) + "file")
                    places[place] = (path, daemon)
            if readable(path):
                places[path] = (path, None)
        return places

    def run(self, way, paths, rounds, turns, count, containers=1):
        places = self.places(paths)
        shown = {path: {} for path in paths}
        slow = {path: {} for path in paths}
        command = [self.program, way, str(turns), str(count), str(containers)]
        for folder in self.cgroups.folders:
            command += ["--in", folder]
        if any(daemon.name == "nacre-procfs" for daemon in self.daemons):
            command += ["--nacre", GROUP, f"{common.SCRATCH}/views"]
        for _ in range(rounds):
            done = subprocess.run([*command, *places], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
            for line in done.stdout.decode().splitlines():
                place, median, late = line.rsplit(" ", 2)
                path, daemon = places[place]
                name = daemon.name if daemon else "host"
                shown[path].setdefault(name, []).append(float(median))
                slow[path].setdefault(name, []).append(float(late) / float(median))
                if daemon:
                    daemon.readings += turns * count * containers * (8 if way.startswith("parallel") else 1)
        return shown, slow

    def columns(self):
        return [daemon.name for daemon in self.daemons] + ["host"]


def add_total(shown, columns):
    """A row: one reading of each file that all of the columns have."""
    rows = [cells for cells in shown.values() if all(cells.get(column) for column in columns)]
    shown[f"these {len(rows)} files, one after the other"] = {
        column: [sum(row) for row in zip(*(cells[column] for cells in rows))] for column in columns}


def show_ratio(value):
    return f"{value:.2f}"


def main():
    folder = common.prepare(__doc__)
    rounds = common.rounds(5)
    reader = common.timing_program(folder, "read_files")
    daemons = start_daemons(folder, common.SCRATCH)
    base = daemons[-2].name if len(daemons) == 3 else "lxcfs"
    costs = {}
    cgroups = Cgroups(MANY)
    try:
        reading = Reading(reader, daemons, cgroups)
        columns = reading.columns()
        common.headline("Reading the container's view", [f"lxcfs {common.version(['lxcfs', '--version'])}",
                                                         "readers in cgroups of 256 MiB and one CPU"])
        def one_reader(where):
            for daemon in daemons:
                daemon.cost()
            shown, slow = reading.run("open", PATHS, rounds, 4, 1000)
            costs[f"processor time of 1000 readings, {where}"] = {d.name: [d.cost()] for d in daemons}
            common.table(f"open, read, close, {where}: median", shown, columns, base)
            common.table(f"99th percentile / median, {where}", slow, columns, "", {path: show_ratio for path in PATHS})
            for way, how in HOW.items():
                shown, _ = reading.run(f"again{way}", PATHS, rounds, 4, 1000)
                common.table(f"read again{how}, {where}: median", shown, columns, base)

        with one_processor(daemons):
            one_reader("one processor")
        one_reader("any processor")
        for way, how in HOW.items():
            shown, _ = reading.run(f"parallel{way}", PATHS, rounds, 3, 400)
            add_total(shown, columns)
            common.table(f"8 readers{how}: time / readings", shown, columns, base)
        for daemon in daemons:
            daemon.cost()
        shown, _ = reading.run("open", OF_MANY, max(rounds // 2, 1), 3, 5, MANY)
        costs[f"the same, {MANY} containers"] = {d.name: [d.cost()] for d in daemons}
        costs["resident memory"] = {d.name: [d.memory()] for d in daemons}
        common.table("of 200 containers: median", shown, columns, base)
        common.table("the daemon's", costs, columns, base, {"resident memory": common.show_bytes})
    finally:
        for daemon in daemons:
            daemon.stop()
        for mountpoint in glob.glob(f"{common.SCRATCH}/*/mnt") + [f"{common.SCRATCH}/lxcfs", f"{common.SCRATCH}/floor"]:
            if os.path.ismount(mountpoint):
                subprocess.run(["umount", "-l", mountpoint], check=False)
        cgroups.remove()


if __name__ == "__main__":
    main()
