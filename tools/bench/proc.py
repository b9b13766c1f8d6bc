#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""proc.py BIN [ROUNDS]: open, read and close of each file of the container's view: nacre-procfs,
lxcfs and the host's own. BIN is a build's bin folder."""

import glob
import os
import subprocess
import sys
import time

import common

FILES = ["/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/swaps",
         "/proc/diskstats", "/sys/devices/system/cpu/online"]
CGROUP = f"/nacre-bench.{os.getpid()}"


class Cgroup:
    """A cgroup of one CPU and 256 MiB in every hierarchy there is."""

    LIMITS = {"memory.limit_in_bytes": "268435456", "memory.max": "268435456", "cpu.cfs_quota_us": "100000",
              "cpu.max": "100000 100000"}

    def __init__(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            mounts = [line.split() for line in file]
        roots = dict.fromkeys(m[4] for m in mounts if m[m.index("-") + 1] in ("cgroup", "cgroup2"))
        self.folders = [root + CGROUP for root in roots if os.access(root, os.W_OK)]
        for folder in self.folders:
            os.mkdir(folder)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if os.path.exists(f"{folder}/{name}"):
                    with open(f"{folder}/../{name}", encoding="ascii") as parent:
                        self.write(folder, name, parent.read())
            for name, value in self.LIMITS.items():
                if os.path.exists(f"{folder}/{name}"):
                    self.write(folder, name, value)

    @staticmethod
    def write(folder, name, value):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write(value)

    def enter(self):
        for folder in self.folders:
            self.write(folder, "cgroup.procs", "0")

    def remove(self):
        for folder in self.folders:
            for _ in range(50):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.1)


def wait_for(path, daemon):
    for _ in range(100):
        if os.path.exists(path):
            return
        if daemon.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"{daemon.args[0]} did not start: {path} is missing")


def start_lxcfs(box):
    os.mkdir(f"{box}/lxcfs")
    with open(f"{box}/lxcfs.log", "wb") as log:
        daemon = subprocess.Popen(["lxcfs", "-f", "--enable-cfs", "-l", "-p", f"{box}/lxcfs.pid", f"{box}/lxcfs"],
                                  stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_for(f"{box}/lxcfs/proc/meminfo", daemon)
    return daemon


def start_nacre(box, path):
    os.environ["NACRE_PROCFS_DIR"] = f"{box}/nacre"
    os.mkdir(f"{box}/nacre")
    with open(f"{box}/nacre.log", "wb") as log:
        daemon = subprocess.Popen([path, "-f", "--dir", f"{box}/nacre"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    wait_for(f"{box}/nacre/control", daemon)
    return daemon


def stop(daemon):
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def main():
    folder = common.prepare(__doc__)
    reader = common.timing_program(folder, "read_files")
    nacre = common.program(folder, "nacre-procfs")
    box = common.SCRATCH
    daemons = [start_lxcfs(box)]
    if nacre:
        daemons.append(start_nacre(box, nacre))
    cgroup = Cgroup()
    try:
        columns = {"lxcfs": f"{box}/lxcfs", "host": ""}
        if nacre:
            columns = {"nacre-procfs": "nacre:", **columns}
        paths = {prefix + file: (file, column) for file in FILES for column, prefix in columns.items()
                 if column == "nacre-procfs" or os.path.exists(prefix + file)}
        rows = {file: {column: [] for column in columns} for file in FILES}
        command = [reader, "15", "200", *(["--nacre", CGROUP] if nacre else []), *paths]
        for _ in range(common.rounds(5)):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                                  preexec_fn=cgroup.enter)
            for line in done.stdout.decode().splitlines():
                file, column = paths[line.rsplit(" ", 1)[0]]
                rows[file][column].append(float(line.rsplit(" ", 1)[1]))
        common.headline("Reading the container's view", [f"lxcfs {common.version(['lxcfs', '--version'])}",
                                                         "the reader in a cgroup of 256 MiB and one CPU"])
        common.table("file", rows, list(columns), "nacre-procfs" if nacre else "lxcfs")
    finally:
        for daemon in daemons:
            stop(daemon)
        for mountpoint in glob.glob(f"{box}/*/mnt") + [f"{box}/lxcfs"]:
            if os.path.ismount(mountpoint):
                subprocess.run(["umount", "-l", mountpoint], check=False)
        cgroup.remove()


main()
