#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_fuzz.py SEED SECONDS [PROGRAM]: the same random operations on kernel overlayfs and on
nacre-fs, each over its own copy of the same layers, with one seed after the other for so long.
Results, errnos and trees must be equal; then each upper is opened by the other file system,
which must show the same tree. A part of the operations is done by several processes at a
time, each in a folder of its own. A seed repeats a run exactly: fs_fuzz.py SEED 0.
"""

import errno
import fcntl
import multiprocessing
import os
import random
import shutil
import stat
import subprocess
import sys
import time
import zlib

import tree

NAMES = ["a", "b", "c", "d"]
WORKERS = ["w1", "w2", "w3"]
STEPS = 160  # of one process
RUN = time.time_ns() - 10**9
KEPT = 5  # descriptors that stay open
OPERATIONS = []


def snapshot(root, times=True):
    """name -> description. When two runs are compared, without times that are those of the run."""
    found = dict(tree.walk(root))
    for name, text in found.items():
        words = text.split(" ")
        st = os.lstat(os.path.join(root, name))
        if not stat.S_ISDIR(st.st_mode):
            words.append(f"links={st.st_nlink}")
        if not times and stat.S_ISREG(int(words[0], 8)):
            # Kernel overlayfs changes the time of a file without data when that is opened for writing.
            undefined = "metacopy=on" in World.features
            words[4] = "undefined" if undefined else words[4] if int(words[4]) < RUN else "recent"
        found[name] = " ".join(words)
    return found


def differences(one, other, names):
    return [f"{name}\n  {names[0]}: {one.get(name)}\n  {names[1]}: {other.get(name)}"
            for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name)]


def inconsistent_numbers(root):
    """Directory entries whose d_ino is not the st_ino of what they name."""
    wrong = []
    for folder, _, _ in os.walk(root):
        with os.scandir(folder) as entries:
            wrong += [e.path for e in entries if e.inode() != os.lstat(e.path).st_ino]
    return wrong


def operation(weight):
    def add(function):
        OPERATIONS.extend([function] * weight)
        return function
    return add


class Side:
    """Where one process works in one of the two worlds, and the descriptors it keeps open."""

    def __init__(self, root):
        self.root, self.kept = root, []

    def at(self, rng):
        return os.path.join(self.root, random_path(rng))

    def pick(self, rng):
        place = rng.randrange(KEPT)
        if place >= len(self.kept):
            raise OSError(errno.EBADF, "not open")
        return self.kept[place]

    def close(self):
        while self.kept:
            os.close(self.kept.pop())


class World:
    """One union mount."""

    nameless = True  # both know O_TMPFILE
    features = ""
    rootless = False  # in a user namespace, where kernel overlayfs has fewer features
    forgetful = False  # nacre-fs has the kernel forget nearly all, where the kernel can
    overridden = False  # nacre-fs keeps owners and modes in attributes, which the kernel does not know

    def __init__(self, name, base, program=None):
        self.name, self.base, self.program = name, base, program
        self.root = os.path.join(base, "merged")
        for part in ("merged", "work", "upper"):
            os.makedirs(os.path.join(base, part), exist_ok=True)

    def options(self):
        lowers = ":".join(os.path.join(self.base, f"lower{i}") for i in (1, 2))
        return f"lowerdir={lowers},upperdir={self.base}/upper,workdir={self.base}/work,{self.features}"

    def mount_kernel(self):
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", self.options(), self.root], check=True)

    def mount_nacre(self):
        options = self.options()
        if self.overridden:
            os.setxattr(f"{self.base}/upper", "user.containers.override_stat", b"0:0:0755")
            options += ",xattr_permissions=2"
        if self.forgetful:
            options += ",max_inodes=16"
        subprocess.run([self.program or "nacre-fs", "-o", options, self.root], check=True)

    def wait_for_end(self):
        """The server lets go of the directories when it has seen the end."""
        for _ in range(100):
            with open("/proc/locks", encoding="ascii") as locks:
                ino = f":{os.stat(self.base + '/upper').st_ino} "
                if not any(ino in line for line in locks):
                    return
            time.sleep(0.02)


def random_path(rng):
    return "/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))


def build_layers(rng, base):
    for layer, part in [(layer, part) for layer in ("lower2", "lower1") for part in ["", *WORKERS]]:
        root = os.path.join(base, layer, part)
        os.makedirs(root, exist_ok=True)
        for _ in range(14):
            path = os.path.join(root, random_path(rng))
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                kind = rng.randrange(7)
                if kind == 0:
                    os.makedirs(path, exist_ok=True)
                elif kind == 1:
                    os.symlink("target-of-" + os.path.basename(path), path)
                elif kind == 2 and layer == "lower1":
                    # Kernel overlayfs lists a whiteout that has nothing to remove.
                    os.lstat(path.replace("lower1", "lower2"))
                    os.mknod(path, 0o020000, os.makedev(0, 0))
                else:
                    with open(path, "xb") as file:
                        file.write(rng.randbytes(rng.randrange(9000)))
                    os.chmod(path, rng.choice([0o644, 0o600, 0o755]))
                    when = rng.randrange(10**9) * 10**9
                    os.utime(path, ns=(when, when))
                    if kind == 3:
                        os.setxattr(path, "user.note", b"lower")
                    if kind == 5:
                        other = os.path.join(root, random_path(rng))
                        os.makedirs(os.path.dirname(other), exist_ok=True)
                        os.link(path, other)
            except OSError:
                continue
    for folder, dirs, _ in os.walk(os.path.join(base, "lower1")):
        for name in dirs:
            path = os.path.join(folder, name)
            whiteouts = any(stat.S_ISCHR(os.lstat(os.path.join(inner, file)).st_mode)
                            for inner, _, files in os.walk(path) for file in files)
            if rng.random() < 0.2 and not whiteouts:
                os.setxattr(path, "user.overlay.opaque" if World.rootless else "trusted.overlay.opaque", b"y")


@operation(4)
def write_new(side, rng):
    with open(side.at(rng), "xb") as file:
        file.write(rng.randbytes(rng.randrange(5000)))


@operation(4)
def overwrite(side, rng):
    path, at, data = side.at(rng), rng.randrange(6000), rng.randbytes(rng.randrange(1, 3000))
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.pwrite(fd, data, at)
    finally:
        os.close(fd)


@operation(2)
def append(side, rng):
    path, data = side.at(rng), rng.randbytes(rng.randrange(1, 300))
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


@operation(2)
def truncate(side, rng):
    path, size = side.at(rng), rng.randrange(12000)
    os.truncate(path, size)


@operation(1)
def open_truncated(side, rng):
    os.close(os.open(side.at(rng), os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK))


@operation(4)
def make_dir(side, rng):
    os.mkdir(side.at(rng), 0o755)


@operation(4)
def remove_dir(side, rng):
    os.rmdir(side.at(rng))


@operation(2)
def remove_tree(side, rng):
    path = side.at(rng)
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise OSError(errno.ENOTDIR, "not a directory")  # rmtree would open a fifo and wait
    shutil.rmtree(path)


@operation(5)
def unlink(side, rng):
    os.unlink(side.at(rng))


@operation(7)
def rename(side, rng):
    one, other = side.at(rng), side.at(rng)
    os.rename(one, other)


@operation(3)
def rename2(side, rng):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    one, other = side.at(rng), side.at(rng)
    flags = rng.choice([1, 2])
    if libc.renameat2(-100, one.encode(), -100, other.encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


@operation(3)
def link(side, rng):
    one, other = side.at(rng), side.at(rng)
    os.link(one, other, follow_symlinks=False)


@operation(2)
def symlink(side, rng):
    os.symlink("to-" + rng.choice(NAMES), side.at(rng))


@operation(2)
def chmod(side, rng):
    path, mode = side.at(rng), rng.choice([0o644, 0o4755, 0o2755, 0o1777, 0o600])
    if os.path.islink(path):
        raise OSError(errno.ELOOP, "a symlink")
    os.chmod(path, mode)


@operation(2)
def chown(side, rng):
    path, uid, gid = side.at(rng), rng.choice([0, 7, 1000]), rng.choice([0, 9, 1000])
    os.chown(path, uid, gid, follow_symlinks=False)


@operation(2)
def set_attribute(side, rng):
    path, name, value = side.at(rng), rng.choice(["user.note", "trusted.mine"]), rng.randbytes(rng.randrange(1, 20))
    os.setxattr(path, name, value, follow_symlinks=False)


@operation(1)
def remove_attribute(side, rng):
    os.removexattr(side.at(rng), "user.note", follow_symlinks=False)


@operation(2)
def set_times(side, rng):
    path, when = side.at(rng), rng.randrange(10**9) * 10**9
    os.utime(path, ns=(when, when), follow_symlinks=False)


@operation(1)
def make_fifo(side, rng):
    os.mkfifo(side.at(rng))


@operation(1)
def make_whiteout(side, rng):
    os.mknod(side.at(rng), 0o020000, os.makedev(0, 0))


@operation(3)
def list_dir(side, rng):
    return sorted(os.listdir(side.at(rng)))


@operation(3)
def read(side, rng):
    path = side.at(rng)
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        return "special"
    with open(path, "rb") as file:
        return zlib.crc32(file.read())


@operation(6)
def open_kept(side, rng):
    path, flags = side.at(rng), rng.choice([os.O_RDONLY, os.O_PATH, os.O_RDWR, os.O_RDWR | os.O_APPEND])
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return "special"
    side.kept.append(fd)
    if len(side.kept) > KEPT:
        os.close(side.kept.pop(0))
    return None


@operation(8)
def read_kept(side, rng):
    fd, at, size = side.pick(rng), rng.randrange(6000), rng.randrange(1, 8000)
    if rng.random() < 0.3:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    st = os.fstat(fd)
    return zlib.crc32(os.pread(fd, size, at)), st.st_size, st.st_mode, st.st_uid


@operation(5)
def write_kept(side, rng):
    fd, at, data = side.pick(rng), rng.randrange(6000), rng.randbytes(rng.randrange(1, 5000))
    return os.pwrite(fd, data, at)


@operation(3)
def reopen_kept(side, rng):
    """Also of files that have lost their names."""
    fd = side.pick(rng)
    again = os.open(f"/proc/self/fd/{fd}", fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE)
    try:
        return zlib.crc32(os.pread(again, 9000, 0))
    finally:
        os.close(again)


@operation(3)
def unlink_kept(side, rng):
    fd = side.pick(rng)
    os.unlink(os.readlink(f"/proc/self/fd/{fd}"))


@operation(1)
def truncate_kept(side, rng):
    fd, size = side.pick(rng), rng.randrange(9000)
    os.ftruncate(fd, size)


@operation(1)
def chmod_kept(side, rng):
    fd, mode = side.pick(rng), rng.choice([0o640, 0o755])
    # Kernel overlayfs copies a removed lower file to its old name, or fails if that is taken.
    if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
        os.fchmod(fd, mode)


def knows_nameless(root):
    """Kernel overlayfs has O_TMPFILE since Linux 6.3."""
    try:
        os.close(os.open(root, os.O_TMPFILE | os.O_RDWR))
        return True
    except OSError:
        return False


@operation(1)
def link_nameless(side, rng):
    path, name, data = side.at(rng), side.at(rng), rng.randbytes(rng.randrange(4000))
    if not World.nameless:
        return None
    fd = os.open(path, os.O_TMPFILE | os.O_RDWR, 0o640)
    table = os.open("/proc/self/fd", os.O_RDONLY)
    try:
        os.write(fd, data)
        # Python follows a link only when it has a folder to begin at.
        os.link(str(fd), name, src_dir_fd=table, follow_symlinks=True)
    finally:
        os.close(fd)
        os.close(table)


def attempt(function, side, seed):
    try:
        return function(side, random.Random(seed))
    except OSError as error:
        # shutil.rmtree reports what it found first, which depends on the order of names.
        return "failed" if function is remove_tree else errno.errorcode.get(error.errno, error.errno)


def stream(root, seed):
    """One process of several."""
    rng, side, log = random.Random(seed), Side(root), []
    for step in range(STEPS):
        function, step_seed = rng.choice(OPERATIONS), rng.random()
        log.append(f"{step}: {function.__name__} {random_path(random.Random(step_seed))} … {attempt(function, side, step_seed)}")
    side.close()
    return log


class Difference(Exception):
    pass


class Abandoned(Exception):
    """Kernel overlayfs cannot go on."""


def compare(worlds, what, log):
    one, other = (snapshot(w.root, times=False) for w in worlds)
    if lines := differences(one, other, [w.name for w in worlds]):
        raise Difference("\n".join(log[-12:]) + f"\n{what}: the trees differ:\n" + "\n".join(lines))


def alone(worlds, rng):
    """One process, the whole tree, compared step by step."""
    log, sides = [], [Side(world.root) for world in worlds]
    for step in range(STEPS):
        function, step_seed = rng.choice(OPERATIONS), rng.random()
        results = [attempt(function, side, step_seed) for side in sides]
        log.append(f"{step}: {function.__name__} {random_path(random.Random(step_seed))} … {results[0]}")
        if World.rootless and results == ["ESTALE", None]:
            raise Abandoned  # seen of a rename there; it says so until it is mounted again
        if results[0] != results[1]:
            raise Difference("\n".join(log[-12:]) + f"\nstep {step}: kernel {results[0]}, nacre {results[1]}")
        if step % 40 == 39:
            compare(worlds, f"step {step}", log)
    for side in sides:
        side.close()


def together(worlds, rng):
    """Several processes at a time, each in its own folder, so that results do not depend on luck."""
    seeds = [rng.random() for _ in WORKERS]
    logs = []
    for world in worlds:
        with multiprocessing.get_context("fork").Pool(len(WORKERS)) as pool:
            logs.append(pool.starmap(stream, [(os.path.join(world.root, w), s) for w, s in zip(WORKERS, seeds)]))
    for worker, one, other in zip(WORKERS, *logs):
        for step, (kernel, nacre) in enumerate(zip(one, other)):
            if kernel != nacre:
                raise Difference("\n".join(one[max(0, step - 12):step]) + f"\n{worker}: kernel: {kernel}; nacre: {nacre}")
    compare(worlds, "after several processes", [])


def run(seed, program):
    rng = random.Random(seed)
    base = os.path.abspath(f"fuzz-{seed}")
    # Every third run, what kernel overlayfs does only when asked.
    World.features = (("index=off," if seed % 5 == 0 else "index=on,")
                      + ("metacopy=on,redirect_dir=on" if seed % 3 == 0 else "metacopy=off,redirect_dir=off"))
    World.overridden = seed % 7 == 0
    World.forgetful = seed % 2 == 0
    if World.rootless:
        World.features, World.overridden = "index=off,userxattr", False
    kernel, nacre = worlds = [World("kernel", base + "/kernel"), World("nacre", base + "/nacre", program)]
    build_layers(random.Random(rng.random()), base + "/kernel")
    for layer in ("lower1", "lower2"):
        subprocess.run(["cp", "-a", f"{base}/kernel/{layer}", f"{base}/nacre/{layer}"], check=True)
    lowers = [snapshot(f"{base}/nacre/{layer}") for layer in ("lower1", "lower2")]
    kernel.mount_kernel()
    nacre.mount_nacre()
    World.nameless = knows_nameless(kernel.root)
    try:
        compare(worlds, "at first", [])
        together(worlds, rng)
        alone(worlds, rng)
        compare(worlds, "at the end", [])
        if wrong := inconsistent_numbers(nacre.root):
            raise Difference(f"d_ino is not st_ino: {wrong}")
        seen = snapshot(nacre.root)
    finally:
        for world in worlds:
            subprocess.run(["umount", "-l", world.root], check=True)
            world.wait_for_end()
    if lowers != [snapshot(f"{base}/nacre/{layer}") for layer in ("lower1", "lower2")]:
        raise Difference("a lower layer was changed")
    # Each upper, opened by the other if it can read it.
    if World.overridden:
        nacre.mount_nacre()
        kernel.mount_kernel()
    else:
        nacre.mount_kernel()
        kernel.mount_nacre()
    try:
        if lines := differences(seen, snapshot(nacre.root), ["before", "mounted again"]):
            raise Difference("mounted again, the upper of nacre-fs shows another tree:\n" + "\n".join(lines))
        compare([kernel, nacre], "mounted again", [])
    finally:
        for world in worlds:
            subprocess.run(["umount", "-l", world.root], check=True)
            world.wait_for_end()
    shutil.rmtree(base)


def main():
    seed, seconds = int(sys.argv[1]), float(sys.argv[2])
    program = sys.argv[3] if len(sys.argv) > 3 else None
    end = time.monotonic() + seconds
    first, abandoned = seed, 0
    with open("/proc/self/uid_map", encoding="ascii") as file:
        World.rootless = file.read().split() != ["0", "0", "4294967295"]
    while True:
        try:
            run(seed, program)
        except Abandoned:
            abandoned += 1
        except (Difference, OSError) as difference:  # an error where there was none: data that cannot be read
            sys.exit(f"{difference}\nDIFFERENCE with seed {seed}; again: fs_fuzz.py {seed} 0")
        seed += 1
        if time.monotonic() >= end:
            break
    print(f"no difference with the seeds {first} to {seed - 1}" + (f", {abandoned} of them abandoned" if abandoned else ""))


if __name__ == "__main__":
    main()
