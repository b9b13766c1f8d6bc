#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_work.py BIN [ROUNDS [GROUP...]]: whole jobs on nacre-fs, fuse-overlayfs, kernel overlayfs and a
bare directory, all on one tmpfs; a fresh mount and upper for each job. Groups of jobs: tree, debian,
compile, image, memory; without one, all. BIN is a build's bin folder. NACRE_BENCH_PEER=NAME=PATH
adds a program that takes fuse-overlayfs's arguments."""

import contextlib
import glob
import os
import random
import subprocess
import sys
import time

import common
import fs_contenders

TREE_TOPS, TREE_SUBS, TREE_FILES = 25, 40, 20  # 20,000 files in 1,000 directories
UNPACKED_TOPS = 5                              # a fifth of them
SOURCES, FUNCTIONS = 40, 12
IMAGE_MIB, IMAGE_NEEDS = 1024, 6 * 1024
LIBRARY_MIB, CONTAINERS = 200, 10
# Small ones; all that they need is in a minimal root already.
PACKAGES = ["acl", "attr", "bzip2", "cpio", "dc", "dos2unix", "ed", "figlet", "hello", "less", "m4", "make",
            "patch", "psmisc", "pv", "time", "tree", "unzip", "xxd", "zip"]
# A large program: what it maps it reads, as a program does that uses all of its library.
PROGRAM = """
import mmap, sys
with open(sys.argv[1], "rb") as file:
    library = mmap.mmap(file.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ)
for page in range(0, len(library), 4096): library[page]
print("ready", flush=True)
sys.stdin.read()
"""


class Job:
    """A row of the table: what is done to a fresh mount over a lower layer."""
    shown_as = common.show
    columns_without = ()

    def __init__(self, name, lower, work):
        self.name, self.lower, self.work = name, lower, work

    def measure(self, mount):
        with fs_contenders.mounted(mount, self.lower) as target:
            return self.work(target)


def timed(command, **options):
    """Runs a command; its output and nanoseconds."""
    start = time.perf_counter_ns()
    output = common.run(command, **options)
    return output, time.perf_counter_ns() - start


def must(holds, what):
    if not holds:
        sys.exit(f"fs_work.py: {what}")


# --- a tree of many files ---------------------------------------------------------------------
# "Cold" is a fresh mount: neither the kernel nor a server has seen any of it. Dropping the
# machine's caches would add nothing, because the layers are in memory, but would slow down
# the programs that are run, and everything else on the machine.

def make_tree(path):
    chance = random.Random(1)
    noise = chance.randbytes(1 << 17)
    for top in range(TREE_TOPS):
        for sub in range(TREE_SUBS):
            folder = f"{path}/tree/top{top}/sub{sub}"
            os.makedirs(folder)
            for number in range(TREE_FILES):
                start = chance.randrange(1 << 16)
                with open(f"{folder}/file{number}", "wb") as file:
                    file.write(noise[start:start + min(int(chance.expovariate(1 / 4000)), 1 << 16)])


def tree_jobs(box):
    lower = f"{box}/lower-tree"
    make_tree(lower)
    archive = f"{box}/source.tar"
    common.run(["tar", "-C", f"{lower}/tree", "-cf", archive, *(f"top{top}" for top in range(UNPACKED_TOPS))])
    entries = 1 + TREE_TOPS * (1 + TREE_SUBS * (1 + TREE_FILES))
    unpacked = UNPACKED_TOPS * (1 + TREE_SUBS * (1 + TREE_FILES))

    def find(target):
        output, spent = timed(["find", f"{target}/tree"])
        must(output.count("\n") == entries, "find: wrong number of names")
        return spent

    def tar(target):
        # tar does not read files when it sees that the archive is /dev/null.
        output, spent = timed(["sh", "-c", 'tar -C "$0" -cf - tree | wc -c', target])
        must(int(output) > TREE_TOPS * TREE_SUBS * TREE_FILES * 1024, "tar: too small an archive")
        return spent

    def remove(target):
        _, spent = timed(["rm", "-rf", f"{target}/tree"])
        must(not os.path.exists(f"{target}/tree"), "rm: the tree is still there")
        return spent

    def unpack(target):
        os.mkdir(f"{target}/new")
        _, spent = timed(["tar", "-C", f"{target}/new", "-xf", archive])
        return spent

    files = TREE_TOPS * TREE_SUBS * TREE_FILES
    empty = f"{box}/lower-empty"
    os.mkdir(empty)
    return [Job(f"find in a lower tree of {files:,} files, cold", lower, find),
            Job("du of it, cold", lower, lambda target: timed(["du", "-s", f"{target}/tree"])[1]),
            Job("tar of it, cold", lower, tar),
            Job("rm -rf of it, cold", lower, remove),
            Job(f"unpack {unpacked:,} files and directories", empty, unpack)]


# --- installing packages ----------------------------------------------------------------------

def debian_jobs(box):
    made = subprocess.run([os.path.join(common.ROOT, "tests/support/debian_root.sh")], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if made.returncode != 0:
        print(f"note: no packages are installed: {made.stderr.decode(errors='replace').strip()}", file=sys.stderr)
        return []
    lower = f"{box}/lower-debian"
    common.run(["cp", "-a", made.stdout.decode().strip(), lower])
    os.mkdir(f"{lower}/packages")
    common.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *PACKAGES], cwd=f"{lower}/packages")
    packages = [f"./{os.path.basename(path)}" for path in sorted(glob.glob(f"{lower}/packages/*.deb"))]

    def install(target):
        with contextlib.ExitStack() as mounts:
            for command, folder in ((["mount", "-t", "proc", "proc"], "proc"), (["mount", "--bind", "/dev"], "dev")):
                common.run([*command, f"{target}/{folder}"])
                mounts.callback(common.run, ["umount", f"{target}/{folder}"])
            # Without a network, so that nothing but the file system is measured.
            _, spent = timed(["unshare", "--net", "chroot", target, "env", "-i", "-C", "/packages",
                                   "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive",
                                   "apt-get", "-q", "-y", "--no-install-recommends", "-o", "APT::Sandbox::User=root",
                                   "-o", "Dpkg::Use-Pty=0", "install", *packages])
        must(os.path.exists(f"{target}/usr/bin/hello"), "apt-get: the packages are not installed")
        return spent

    return [Job(f"apt-get install of {len(PACKAGES)} packages", lower, install)]


# --- compiling --------------------------------------------------------------------------------

def make_project(path):
    """A C project whose sources all include all of its headers."""
    os.makedirs(f"{path}/project/include")
    os.makedirs(f"{path}/project/src")
    for number in range(SOURCES):
        with open(f"{path}/project/include/part{number}.h", "w", encoding="ascii") as file:
            file.write("#pragma once\n")
            file.write("".join(f"int part{number}_{i}(int, const char *);\n" for i in range(FUNCTIONS)))
        with open(f"{path}/project/src/part{number}.c", "w", encoding="ascii") as file:
            file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n")
            file.write("".join(f'#include "part{other}.h"\n' for other in range(SOURCES)))
            for i in range(FUNCTIONS):
                file.write(f"int part{number}_{i}(int x, const char *s) {{\n  for (int i = 0; i < x; ++i)\n"
                           f"    if (s[i % {i + 3}] == 'a' + i) x += part{(number + 1) % SOURCES}_{i}(x - i, s);\n"
                           f"  return printf(\"%d\\n\", x) + (int)strlen(s);\n}}\n")
            if number == 0:
                file.write("int main(void) { return part0_0(0, \"\") == 0; }\n")


def compile_jobs(box):
    lower = f"{box}/lower-project"
    make_project(lower)
    script = ('cd "$0/project" && mkdir build && ls src | sed "s/\\.c$//" | '
              "xargs -P 2 -I N gcc -O1 -Iinclude -c src/N.c -o build/N.o && "
              "gcc build/*.o -o build/program && ./build/program")
    return [Job(f"compile {SOURCES} C files, two at a time", lower,
                lambda target: timed(["sh", "-c", script, target])[1])]


# --- a large file -----------------------------------------------------------------------------

def write_file(path, mebibytes):
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for _ in range(mebibytes):
            file.write(block)


def image_jobs(box):
    if common.free_mebibytes() < IMAGE_NEEDS:
        print(f"note: no file of {IMAGE_MIB} MiB is copied up: that takes {IMAGE_NEEDS} MiB of memory", file=sys.stderr)
        return []
    lower = f"{box}/lower-image"
    os.mkdir(lower)
    write_file(f"{lower}/image", IMAGE_MIB)

    def change(target):
        start = time.perf_counter_ns()
        file = os.open(f"{target}/image", os.O_WRONLY | os.O_CLOEXEC)
        os.pwrite(file, b"x" * 4096, IMAGE_MIB << 19)
        os.close(file)
        return time.perf_counter_ns() - start

    return [Job(f"change a block of a lower file of {IMAGE_MIB} MiB", lower, change)]


# --- memory -----------------------------------------------------------------------------------

class MemoryGroup:
    """A memory cgroup of our own: what is allocated by whoever was born in it is counted."""

    def __init__(self):
        v1 = "/sys/fs/cgroup/memory"
        is_v1 = os.path.exists(f"{v1}/memory.usage_in_bytes")
        top = v1 if is_v1 else "/sys/fs/cgroup"
        self.path = f"{top}/nacre-bench.{os.getpid()}"
        self.counter = f"{self.path}/memory.{'usage_in_bytes' if is_v1 else 'current'}"
        with open("/proc/self/cgroup", encoding="ascii") as file:
            fields = [line.rstrip("\n").split(":", 2) for line in file]
        own = next((path for _, controllers, path in fields if controllers == ("memory" if is_v1 else "")), None)
        self.home = top + (own or "/")

    def __enter__(self):
        os.mkdir(self.path)
        return self

    def __exit__(self, *_):
        os.rmdir(self.path)

    def counts(self):
        return os.path.exists(self.counter)

    @contextlib.contextmanager
    def inside(self):
        self.move(self.path)
        try:
            yield
        finally:
            self.move(self.home)

    @staticmethod
    def move(path):
        with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")

    def bytes(self):
        with open(self.counter, encoding="ascii") as file:
            return int(file.read())


class MemoryJob(Job):
    """The bytes that containers of one image take in memory, all running one large program: the
    image's file, which is in memory once already because its layer is a tmpfs, and everything
    that exists only because of the mounts: servers, programs, the kernel's records, and page
    caches other than the layer's own. The second part is what a memory cgroup counts in which
    servers and programs were born; the layer's pages are not in it, as they belong to the one
    who wrote them."""
    shown_as = common.show_bytes
    columns_without = (fs_contenders.BARE,)  # without a layer that is shared there is no such thing

    def __init__(self, lower):
        super().__init__(f"memory of {CONTAINERS} containers of one image", lower, None)

    def measure(self, mount):
        with MemoryGroup() as group, contextlib.ExitStack() as stack:
            with group.inside():
                targets = [stack.enter_context(fs_contenders.mounted(mount, self.lower)) for _ in range(CONTAINERS)]
                programs = [stack.enter_context(self.program(target)) for target in targets]
            for program in programs:
                must(program.stdout.readline() == b"ready\n", "the program that maps a large file failed")
            return os.path.getsize(f"{self.lower}/library") + group.bytes()

    @staticmethod
    @contextlib.contextmanager
    def program(target):
        with subprocess.Popen([sys.executable, "-ISBc", PROGRAM, f"{target}/library"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as child:
            yield child  # it ends when its input does


def memory_jobs(box):
    try:
        with MemoryGroup() as group:
            counts = group.counts()
    except OSError:
        counts = False
    if not counts:
        print("note: memory is not measured: no memory cgroup can be made", file=sys.stderr)
        return []
    lower = f"{box}/lower-library"
    os.mkdir(lower)
    write_file(f"{lower}/library", LIBRARY_MIB)
    # It begins as programs and libraries do, because nacre-fs shares those.
    with open(sys.executable, "rb") as program, open(f"{lower}/library", "r+b") as library:
        library.write(program.read(64))
    return [MemoryJob(lower)]


def main():
    folder = common.prepare(__doc__)
    contenders = fs_contenders.contenders(folder)
    groups = {"tree": tree_jobs, "debian": debian_jobs, "compile": compile_jobs, "image": image_jobs,
              "memory": memory_jobs}
    wanted = sys.argv[3:] or list(groups)
    must(set(wanted) <= set(groups), f"groups of jobs are {', '.join(groups)}")
    jobs = [job for group in wanted for job in groups[group](common.SCRATCH)]
    rows = {job.name: {} for job in jobs}
    shuffle = random.Random(1)
    names = list(contenders)
    for _ in range(common.rounds(5)):
        # All do the same job one after the other, so that the rest of the machine is the same for all.
        for job in jobs:
            shuffle.shuffle(names)
            for name in names:
                if name not in job.columns_without:
                    rows[job.name].setdefault(name, []).append(job.measure(contenders[name]))
    common.headline("Whole jobs", fs_contenders.versions())
    common.table("job", rows, list(contenders), fs_contenders.base(contenders),
                 {job.name: type(job).shown_as for job in jobs})


main()
