# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: a private mount namespace and scratch directory, the
peers' installation, interleaved rounds, and tables of medians and ratios."""

import atexit
import ctypes
import os
import platform
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRATCH = ""
CREATED = []


def run(command, **options):
    """Runs a command that has to succeed; its output is the answer."""
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def prepare(description):
    """Installs the peers, and enters a mount namespace and a scratch tmpfs that vanish with us.
    Returns the directory of nacre's programs, the first argument."""
    global SCRATCH
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(f"usage: {sys.argv[0]} BIN [ROUNDS]\n{description}")
    if os.geteuid() != 0:
        sys.exit(f"{sys.argv[0]}: run it as root: it mounts file systems")
    subprocess.run([os.path.join(ROOT, "tools/setup"), "--bench"], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    if not os.environ.get("NACRE_BENCH_NAMESPACE"):
        os.environ["NACRE_BENCH_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv])
    # Daemons that double-fork become our children, so that we can end and reap them.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    SCRATCH = tempfile.mkdtemp(prefix="nacre-bench.")
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "nacre-bench", SCRATCH])
    atexit.register(clean_up)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    return os.path.abspath(sys.argv[1])


def hide(*folders):
    """Covers folders of the machine that peers write to, in our mount namespace only."""
    for folder in folders:
        if not os.path.isdir(folder):
            os.mkdir(folder)
            CREATED.append(folder)
        run(["mount", "-t", "tmpfs", "nacre-bench", folder])


def clean_up():
    os.chdir("/")
    for child in children():
        try:
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + 5
    while children() and time.monotonic() < deadline:
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        time.sleep(0.05)
    for child in children():
        os.kill(child, signal.SIGKILL)
    subprocess.run(["umount", "-l", SCRATCH, *CREATED], check=False)
    for folder in CREATED:
        os.rmdir(folder)
    shutil.rmtree(SCRATCH, ignore_errors=True)


def children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def rounds(default):
    return int(sys.argv[2]) if len(sys.argv) > 2 else default


def program(folder, name):
    """A program of ours, or None with a note: the peers are measured all the same."""
    path = os.path.join(folder, name)
    if os.access(path, os.X_OK):
        return path
    print(f"note: {name} is not in {folder}; only the peers are measured", file=sys.stderr)
    return None


def free_mebibytes():
    """What can be put into the scratch directory, in memory."""
    with open("/proc/meminfo", encoding="ascii") as file:
        available = next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))
    scratch = os.statvfs(SCRATCH)
    return min(available >> 10, scratch.f_bavail * scratch.f_frsize >> 20)


def timing_program(folder, name):
    """Builds one of the timing loops beside the programs and returns its path."""
    run(["cmake", "--build", os.path.dirname(folder), "--target", f"bench_{name}"])
    return os.path.join(folder, f"bench_{name}")


def version(command, about=""):
    """The first line of a program's answer that has a version number, and `about` in it."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    found = (line for line in lines if about in line and re.search(r"\d\.\d", line))
    return next(found, "unknown version").strip('"')


def interleave(contenders, count):
    """{name: [result per round]} of {name: function}; every round runs all, in random order."""
    results = {name: [] for name in contenders}
    names = list(contenders)
    shuffle = random.Random(1)
    for _ in range(count):
        shuffle.shuffle(names)
        for name in names:
            results[name].append(contenders[name]())
    return results


def headline(title, versions):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    print(f"### {title}\n")
    print(f"`{os.path.relpath(os.path.abspath(sys.argv[0]), ROOT)} {' '.join(sys.argv[1:])}`, {time.strftime('%Y-%m-%d')}; "
          f"Linux {platform.release()}, {os.cpu_count()} x {model}; {'; '.join(versions)}\n")


def show(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def show_bytes(count):
    return f"{count / (1 << 20):.4g} MiB"


def ratio(cells, base_cells):
    """The median of the rounds' own ratios: what disturbs a round disturbs both sides of it."""
    return statistics.median(cell / base for cell, base in zip(cells, base_cells, strict=True))


def table(corner, rows, columns, base, shown_as=None):
    """Medians of rows[row][column] = [nanoseconds per round …], with the ratio to column `base`
    behind. shown_as[row] replaces show() where the row is no time."""
    print(f"| {corner} | " + " | ".join(columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name, cells in rows.items():
        write = (shown_as or {}).get(name, show)
        medians = {c: statistics.median(cells[c]) for c in columns if cells.get(c)}
        shown = []
        for column in columns:
            if column not in medians:
                shown.append("-")
            elif column == base or base not in medians:
                shown.append(write(medians[column]))
            else:
                shown.append(f"{write(medians[column])} ({ratio(cells[column], cells[base]):.2f}x)")
        print(f"| {name} | " + " | ".join(shown) + " |")
    print()
