# SPDX-License-Identifier: Apache-2.0
"""procfs_agreement.py BOX MEMORY-LIMIT MEMORY-USAGE QUOTA INNER-QUOTA ROUNDS: changes the limits of a container over
and over, by the files of its cgroup and the one below, and asks busybox and procps in it what they see. What they say of
a time in which nothing was changed has to be the same, and what the cgroup says. Its memory in use changes with every
program that runs, so it is followed all the while."""

import os
import random
import re
import subprocess
import sys
import threading
import time

BOX, LIMIT, USAGE, QUOTA, INNER, ROUNDS = sys.argv[1:6] + [int(sys.argv[6])]
V2 = LIMIT.endswith("memory.max")
MIB = 1 << 20
# What all processors together may have charged and not told (MEMCG_CHARGE_BATCH).
BATCH = 64 * os.sysconf("SC_PAGESIZE") * os.cpu_count()
LIFETIME = 0.02  # of a view
ROUNDING = 60  # KiB: top prints tenths of a MiB
BLIND = 0.02  # seconds in which a program may start, allocate, ask and end unseen

QUESTIONS = {
    "free": "free -k", "busybox free": "/busybox free -k",
    "top": "top -b -n 1 -1 -w 200 | head -n 20", "busybox top": "/busybox top -b -n 1 | head -n 4",
    "uptime": "uptime", "busybox uptime": "/busybox uptime",
    "nproc": "nproc", "busybox nproc": "/busybox nproc", "online": "getconf _NPROCESSORS_ONLN", "stat": "grep -c ^cpu[0-9] /proc/stat",
}


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Changer:
    """The limits, and how often they were changed: an odd number while they are."""

    def __init__(self):
        self.changes = 0
        self.memory = self.cpus = 0
        self.quota = int(read(QUOTA).split()[0])
        self.ending = False
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.ending:
            self.change()
            time.sleep(random.uniform(0.2, 0.8))

    def change(self):
        memory = random.choice([48, 64, 100, 128, 200]) * MIB
        quota = random.choice([30000, 100000, 100001, 150000, 200000])
        self.changes += 1
        write(LIMIT, str(memory))
        # On v1 a cgroup may not have more than the one above it at any time.
        levels = [QUOTA, INNER] if quota > self.quota else [INNER, QUOTA]
        for path in levels:
            write(path, f"{quota} 100000" if V2 else str(quota))
        self.quota = quota
        self.memory, self.cpus = memory, min(-(-quota // 100000), os.cpu_count())
        time.sleep(2 * LIFETIME)
        self.changes += 1


class Usage:
    """The memory in use, looked at all the while."""

    def __init__(self):
        self.ending = False
        self.looks = []
        self.thread = threading.Thread(target=self.work)

    def look(self):
        self.looks.append((time.monotonic(), int(read(USAGE))))

    def work(self):
        while not self.ending:
            self.look()
            time.sleep(0.0005)

    def begin(self):
        self.looks = []
        self.look()

    def seen(self):
        """The least and the most since begin(), and the longest time that nobody looked."""
        self.look()
        times, bytes_used = zip(*sorted(self.looks))
        return min(bytes_used), max(bytes_used), max(late - early for early, late in zip(times, times[1:]))


class Shell:
    """A shell in the container that answers all questions at once."""

    def __init__(self):
        script = "while read -r _; do " + "; ".join(f"echo '== {name}'; {command}" for name, command in QUESTIONS.items())
        self.process = subprocess.Popen(["nacre", "exec", "-i", BOX, "sh", "-c", script + "; echo '== end'; done"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answers, name = {}, None
        for line in self.process.stdout:
            if line.startswith("== "):
                name = line[3:].strip()
                if name == "end":
                    return answers
                answers[name] = ""
            else:
                answers[name] += line
        sys.exit("the shell in the container has ended")


def numbers(text, line):
    """The numbers of the line that starts so."""
    found = next(row for row in text.splitlines() if row.strip().startswith(line))
    return [float(number) for number in re.findall(r"[0-9]+(?:\.[0-9]+)?", found)]


def loads(text):
    return [float(number) for number in re.search(r"load average: (.*)", text).group(1).replace(",", " ").split()]


def seconds_up(text):
    days = re.search(r"(\d+) day", text)
    minutes = re.search(r"up .*?(\d+) min", text)
    hours = re.search(r"up .*?(\d+):(\d+)", text)
    total = int(days.group(1)) * 86400 if days else 0
    total += int(minutes.group(1)) * 60 if minutes else 0
    return total + (int(hours.group(1)) * 3600 + int(hours.group(2)) * 60 if hours else 0)


def check(answers, memory, cpus, low, high):
    wrong = []

    def same(what, got, want, tolerance=0):
        if abs(got - want) > tolerance:
            wrong.append(f"{what}: {got}, not {want}")

    for name in ("nproc", "busybox nproc", "online", "stat"):
        same(name, int(answers[name]), cpus)
    same("CPUs of top", len(re.findall(r"%Cpu\d", answers["top"])), cpus)
    procps, busybox = numbers(answers["free"], "Mem:"), numbers(answers["busybox free"], "Mem:")
    same("total of free", procps[0], memory / 1024)
    same("total of busybox free", busybox[0], memory / 1024)
    batch, used = BATCH / 1024, (high - low) / 1024
    same("shared of free and busybox free", procps[3], busybox[3], batch)
    same("available of free and busybox free", procps[5], busybox[5], used + batch)
    top, busybox_top = numbers(answers["top"], "MiB Mem"), numbers(answers["busybox top"], "Mem:")
    same("total of top", top[0], memory / MIB, 0.06)
    same("memory of busybox top", busybox_top[0] + busybox_top[1], memory / 1024, 1)
    for name, kib, rounding in (("free", procps[2], 0), ("busybox free", busybox[2], 0),
                                ("top", top[1] * 1024, ROUNDING), ("busybox top", busybox_top[1], 0)):
        same(f"free of {name} and the cgroup", kib, (memory - (low + high) / 2) / 1024, used / 2 + batch + rounding)
    for one, other in zip(loads(answers["uptime"]), loads(answers["busybox uptime"])):
        same("load averages", one, other, 0.3)
    same("uptime", seconds_up(answers["uptime"]), seconds_up(answers["busybox uptime"]), 60)
    return wrong


def main():
    changer, usage = Changer(), Usage()
    for thread in (changer.thread, usage.thread):
        thread.start()
    shell = Shell()
    failures, asked, end = [], 0, time.monotonic() + 120
    try:
        checked = 0
        while checked < ROUNDS and time.monotonic() < end:
            before = changer.changes
            if before % 2:
                time.sleep(0.005)
                continue
            usage.begin()
            time.sleep(LIFETIME)
            answers = shell.ask()
            low, high, gap = usage.seen()
            asked += 1
            if changer.changes != before or gap > BLIND:
                continue
            checked += 1
            wrong = check(answers, changer.memory, changer.cpus, low, high)
            if wrong:
                failures.append(f"{'; '.join(wrong)} (usage {low} to {high})")
    finally:
        for follower in (changer, usage):
            follower.ending = True
            follower.thread.join()
        shell.process.stdin.close()
        shell.process.wait()
    print(f"{checked} rounds of {asked} were free of changes, {changer.changes // 2} changes, {len(failures)} failures")
    for failure in failures[:10]:
        print(failure)
    sys.exit(1 if failures or checked < ROUNDS else 0)


main()
