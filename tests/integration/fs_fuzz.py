#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_fuzz.py SEED STEPS: the same random operations on kernel overlayfs and on nacre-fs,
each over its own copy of the same layers. Results, errnos and trees must be equal; then each
upper is opened by the other file system, which must show the same tree."""

import errno
import os
import random
import shutil
import stat
import subprocess
import sys
import time

import tree

NAMES = ["a", "b", "c", "d"]
OPERATIONS = []


def snapshot(root, times=True):
    """name -> description; without the time of change of files when two runs are compared."""
    found = dict(tree.walk(root))
    for name, text in found.items():
        words = text.split(" ")
        if not times and stat.S_ISREG(int(words[0], 8)):
            del words[4]
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


class World:
    """One union mount; paths in it are relative to its root."""

    def __init__(self, name, base):
        self.name, self.base = name, base
        self.root = os.path.join(base, "merged")
        for part in ("merged", "work", "upper"):
            os.makedirs(os.path.join(base, part), exist_ok=True)

    def options(self, upper=None, work=None):
        lowers = ":".join(os.path.join(self.base, f"lower{i}") for i in (1, 2))
        return f"lowerdir={lowers},upperdir={upper or self.base + '/upper'},workdir={work or self.base + '/work'}"

    def mount_kernel(self):
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", self.options(), self.root], check=True)

    def mount_nacre(self):
        subprocess.run(["nacre-fs", "-o", self.options(), self.root], check=True)

    def unmount(self):
        subprocess.run(["umount", self.root], check=True)
        # The daemon lets go of the directories when it has seen the end.
        for _ in range(100):
            with open("/proc/locks", encoding="ascii") as locks:
                ino = f":{os.stat(self.base + '/upper').st_ino} "
                if not any(ino in line for line in locks):
                    return
            time.sleep(0.02)


def random_path(rng):
    return "/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))


def build_layers(rng, base):
    for layer in ("lower2", "lower1"):
        root = os.path.join(base, layer)
        os.makedirs(root)
        for _ in range(14):
            path = os.path.join(root, random_path(rng))
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                kind = rng.randrange(6)
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
                    if kind == 3:
                        os.setxattr(path, "user.note", b"lower")
            except OSError:
                continue
    for folder, dirs, _ in os.walk(os.path.join(base, "lower1")):
        for name in dirs:
            path = os.path.join(folder, name)
            with os.scandir(path) as inside:
                whiteouts = any(stat.S_ISCHR(e.stat(follow_symlinks=False).st_mode) for e in inside)
            if rng.random() < 0.2 and not whiteouts:
                os.setxattr(path, "trusted.overlay.opaque", b"y")


@operation(4)
def write_new(root, rng):
    with open(os.path.join(root, random_path(rng)), "xb") as file:
        file.write(rng.randbytes(rng.randrange(5000)))


@operation(4)
def overwrite(root, rng):
    path, at, data = random_path(rng), rng.randrange(6000), rng.randbytes(rng.randrange(1, 3000))
    fd = os.open(os.path.join(root, path), os.O_RDWR | os.O_NONBLOCK)
    try:
        os.pwrite(fd, data, at)
    finally:
        os.close(fd)


@operation(2)
def append(root, rng):
    path, data = random_path(rng), rng.randbytes(rng.randrange(1, 300))
    fd = os.open(os.path.join(root, path), os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


@operation(2)
def truncate(root, rng):
    path, size = random_path(rng), rng.randrange(12000)
    os.truncate(os.path.join(root, path), size)


@operation(1)
def open_truncated(root, rng):
    os.close(os.open(os.path.join(root, random_path(rng)), os.O_WRONLY | os.O_TRUNC | os.O_NONBLOCK))


@operation(4)
def make_dir(root, rng):
    os.mkdir(os.path.join(root, random_path(rng)), 0o755)


@operation(4)
def remove_dir(root, rng):
    os.rmdir(os.path.join(root, random_path(rng)))


@operation(2)
def remove_tree(root, rng):
    path = os.path.join(root, random_path(rng))
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise OSError(errno.ENOTDIR, "not a directory")  # rmtree would open a fifo and wait
    shutil.rmtree(path)


@operation(5)
def unlink(root, rng):
    os.unlink(os.path.join(root, random_path(rng)))


@operation(7)
def rename(root, rng):
    one, other = random_path(rng), random_path(rng)
    os.rename(os.path.join(root, one), os.path.join(root, other))


@operation(3)
def rename2(root, rng):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    one, other = random_path(rng), random_path(rng)
    flags = rng.choice([1, 2])
    if libc.renameat2(-100, os.path.join(root, one).encode(), -100, os.path.join(root, other).encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


@operation(3)
def link(root, rng):
    one, other = random_path(rng), random_path(rng)
    os.link(os.path.join(root, one), os.path.join(root, other), follow_symlinks=False)


@operation(2)
def symlink(root, rng):
    os.symlink("to-" + rng.choice(NAMES), os.path.join(root, random_path(rng)))


@operation(2)
def chmod(root, rng):
    path, mode = random_path(rng), rng.choice([0o644, 0o4755, 0o2755, 0o1777, 0o600])
    full = os.path.join(root, path)
    if os.path.islink(full):
        raise OSError(errno.ELOOP, "a symlink")
    os.chmod(full, mode)


@operation(2)
def chown(root, rng):
    path, uid, gid = random_path(rng), rng.choice([0, 7, 1000]), rng.choice([0, 9, 1000])
    os.chown(os.path.join(root, path), uid, gid, follow_symlinks=False)


@operation(2)
def set_attribute(root, rng):
    path, name, value = random_path(rng), rng.choice(["user.note", "trusted.mine"]), rng.randbytes(rng.randrange(1, 20))
    os.setxattr(os.path.join(root, path), name, value, follow_symlinks=False)


@operation(1)
def remove_attribute(root, rng):
    os.removexattr(os.path.join(root, random_path(rng)), "user.note", follow_symlinks=False)


@operation(2)
def set_times(root, rng):
    path, when = random_path(rng), rng.randrange(10**9) * 10**9
    os.utime(os.path.join(root, path), ns=(when, when), follow_symlinks=False)


@operation(1)
def make_fifo(root, rng):
    os.mkfifo(os.path.join(root, random_path(rng)))


@operation(1)
def make_whiteout(root, rng):
    os.mknod(os.path.join(root, random_path(rng)), 0o020000, os.makedev(0, 0))


@operation(3)
def list_dir(root, rng):
    return sorted(os.listdir(os.path.join(root, random_path(rng))))


@operation(3)
def read(root, rng):
    path = os.path.join(root, random_path(rng))
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        return "special"
    with open(path, "rb") as file:
        return hash(file.read())


def attempt(function, world, seed):
    try:
        return function(world.root, random.Random(seed))
    except OSError as error:
        # shutil.rmtree reports what it found first, which depends on the order of names.
        return "failed" if function is remove_tree else errno.errorcode.get(error.errno, error.errno)


def compare(worlds, what, log):
    one, other = (snapshot(w.root, times=False) for w in worlds)
    lines = differences(one, other, [w.name for w in worlds])
    if lines:
        print("\n".join(log[-12:]))
        sys.exit(f"{what}: the trees differ:\n" + "\n".join(lines))


def main():
    seed, steps = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    base = os.path.abspath(f"fuzz-{seed}")
    worlds = [World("kernel", base + "/kernel"), World("nacre", base + "/nacre")]
    build_layers(random.Random(rng.random()), base + "/kernel")
    for layer in ("lower1", "lower2"):
        subprocess.run(["cp", "-a", f"{base}/kernel/{layer}", f"{base}/nacre/{layer}"], check=True)
    lowers = [snapshot(f"{base}/nacre/{layer}") for layer in ("lower1", "lower2")]
    kernel, nacre = worlds
    kernel.mount_kernel()
    nacre.mount_nacre()
    log = []
    try:
        compare(worlds, "at first", log)
        for step in range(steps):
            function, step_seed = rng.choice(OPERATIONS), rng.random()
            results = [attempt(function, world, step_seed) for world in worlds]
            log.append(f"{step}: {function.__name__} {random_path(random.Random(step_seed))} … {results[0]}")
            if results[0] != results[1]:
                print("\n".join(log[-12:]))
                sys.exit(f"seed {seed}, step {step}: {function.__name__}: kernel {results[0]}, nacre {results[1]}")
            if step % 40 == 39:
                compare(worlds, f"seed {seed}, step {step}", log)
        compare(worlds, f"seed {seed}, at the end", log)
        if wrong := inconsistent_numbers(nacre.root):
            sys.exit(f"seed {seed}: d_ino is not st_ino: {wrong}")
        seen = snapshot(nacre.root)
    finally:
        for world in worlds:
            world.unmount()
    if lowers != [snapshot(f"{base}/nacre/{layer}") for layer in ("lower1", "lower2")]:
        sys.exit(f"seed {seed}: a lower layer was changed")
    # Each upper, opened by the other.
    nacre.mount_kernel()
    other_view = snapshot(nacre.root)
    kernel.mount_nacre()
    try:
        if lines := differences(seen, other_view, ["nacre-fs", "kernel overlayfs"]):
            sys.exit(f"seed {seed}: kernel overlayfs shows another tree:\n" + "\n".join(lines))
        compare([kernel, nacre], f"seed {seed}: an upper written by the kernel", log)
    finally:
        for world in worlds:
            world.unmount()
    shutil.rmtree(base)


if __name__ == "__main__":
    main()
