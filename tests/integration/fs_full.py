#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_full.py DISK LOWER MNT RESOURCE…: nacre-fs with its upper on a file system that is full.
DISK is a small file system of its own. RESOURCE is blocks, inodes or quota.

Every operation is tried with nothing left of the resource, then with one more unit, and so on
until it succeeds: so it fails at each of its steps that need some. After each failure the
tree is as it was, nothing is left in the work directory, and no file without a name takes up
space. Then operations are repeated until the file system is full of what they made.
"""

import errno
import os
import shutil
import stat
import subprocess
import sys
import time

import fs_faults
import fs_fuzz

MANY = 60  # small files in the lower layer
MOST = 64  # units after which an operation must have succeeded


def fail(text):
    sys.exit(f"FAIL: {text}")


def write_file(path, size):
    with open(path, "wb", buffering=0) as file:
        file.write(os.urandom(size))


def write_long_name(root):
    os.symlink("x" * 1000, f"{root}/dir/new")


def empty_and_remove(root):
    if os.path.exists(f"{root}/dir/sub/deep"):
        os.unlink(f"{root}/dir/sub/deep")
    os.rmdir(f"{root}/dir/sub")


# More than fs_faults has: what takes a block of its own, and what is not in the upper yet.
OPERATIONS = {
    **fs_faults.OPERATIONS,
    "long symlink": write_long_name,
    "large attribute": lambda r: os.setxattr(f"{r}/made", "user.large", bytes(3000)),
    "large attribute of a lower file": lambda r: os.setxattr(f"{r}/file", "user.large", bytes(3000)),
    "large attribute of a lower directory": lambda r: os.setxattr(f"{r}/dir/sub", "user.large", bytes(3000)),
    "fifo": lambda r: os.mkfifo(f"{r}/dir/pipe"),
    "chmod of a lower directory": lambda r: os.chmod(f"{r}/dir/sub", 0o700),
    "truncation of a lower file": lambda r: os.truncate(f"{r}/file", 30000),
    "rmdir of an emptied directory": empty_and_remove,
}
# Of two steps; the first may have happened.
STEPPED = {"rmdir of an emptied directory"}


class Filler:
    """Takes what is left of a resource, but for some units."""

    few = 20  # units for so many small things that the next one of them fails

    def __init__(self, disk):
        self.disk, self.folder = disk, f"{disk}/filler"

    def leave(self, units):
        raise NotImplementedError

    def free(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Blocks(Filler):
    error = errno.ENOSPC

    def leave(self, units):
        block = os.statvfs(self.disk).f_bsize
        os.makedirs(self.folder, exist_ok=True)
        number, piece = 0, 1 << 30
        # Several rounds, because the list of a file's extents takes blocks, too, and what does not
        # fit in one piece may fit in smaller ones, or in a file whose list has room.
        for _ in range(400):
            more = os.statvfs(self.disk).f_bavail - units
            if more == 0:
                return
            with open(f"{self.folder}/bulk{number}", "ab") as file:
                size = file.tell()
                if more < 0:
                    file.truncate(max(size + more * block, 0))
                    number -= number > 0 and size == 0
                    continue
                try:
                    os.posix_fallocate(file.fileno(), size, min(more, piece) * block)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    number += piece == 1
                    piece = max(min(more, piece) // 2, 1)
        fail(f"the filler does not settle: {os.statvfs(self.disk).f_bavail} blocks left, {units} wanted")


class Inodes(Filler):
    error = errno.ENOSPC

    def leave(self, units):
        os.makedirs(self.folder, exist_ok=True)
        names = os.listdir(self.folder)
        while (left := os.statvfs(self.disk).f_ffree - units) != 0:
            for _ in range(abs(left)):
                if left > 0:
                    names.append(f"{time.monotonic_ns()}")
                    os.mknod(f"{self.folder}/{names[-1]}")
                else:
                    os.unlink(f"{self.folder}/{names.pop()}")


class Quota(Filler):
    """Of the subvolume of a btrfs that DISK is; it holds for root, too. btrfs promises more
    space than it takes in the end."""

    error, few, step = errno.EDQUOT, 2, 16

    def __init__(self, disk):
        super().__init__(disk)
        self.group = "0/" + self.btrfs("inspect-internal", "rootid", disk).strip()

    @staticmethod
    def btrfs(*words):
        return subprocess.run(["btrfs", *words], check=True, stdout=subprocess.PIPE, text=True).stdout

    def limit(self, text):
        # Asked of the volume, because to change a limit takes space as well.
        self.btrfs("qgroup", "limit", text, self.group, os.path.dirname(self.disk))

    def used(self):
        # Counted when it is written.
        self.btrfs("filesystem", "sync", self.disk)
        shown = self.btrfs("qgroup", "show", "--raw", self.disk)
        return int(next(line.split()[1] for line in shown.splitlines() if line.startswith(self.group + " ")))

    def leave(self, units):
        if self.used() >= 1 << 63:  # btrfs has been seen to count less than nothing
            self.btrfs("quota", "rescan", "-w", self.disk)
        self.limit(str(self.used() + units * self.step * os.statvfs(self.disk).f_bsize))

    def free(self):
        self.limit("none")


RESOURCES = {"blocks": Blocks, "inodes": Inodes, "quota": Quota}


class Box:
    """Layers and a mount of them. The upper and all it needs are on DISK."""

    def __init__(self, disk, lower, mnt):
        self.disk, self.lower, self.root = disk, lower, mnt
        self.server = None
        # What the file system has for itself.
        self.own = self.nameless(0)

    def options(self):
        return f"lowerdir={self.lower},upperdir={self.disk}/upper,workdir={self.disk}/work"

    def mount(self):
        self.server = subprocess.Popen(["nacre-fs", "-f", "-o", self.options(), self.root])
        for _ in range(2000):
            if os.path.ismount(self.root):
                return
            if self.server.poll() is not None:
                break
            time.sleep(0.005)
        fail("nacre-fs does not mount")

    def unmount(self):
        subprocess.run(["umount", self.root], check=True)
        if code := self.server.wait():
            fail(f"the server ended with {code}")

    def reset(self):
        """Mounted, with what fs_faults prepares."""
        for part in ("upper", "work"):
            shutil.rmtree(f"{self.disk}/{part}", ignore_errors=True)
            os.mkdir(f"{self.disk}/{part}")
        self.mount()
        fs_faults.prepare(self.root)

    def snapshot(self):
        return fs_fuzz.snapshot(self.root, times=False)

    def used(self):
        """Inodes, where the file system counts them."""
        st = os.statvfs(self.disk)
        return st.f_files - st.f_ffree if st.f_files else None

    def reachable(self):
        found = {os.stat(self.disk).st_ino}
        for folder, folders, files in os.walk(self.disk):
            found.update(os.lstat(f"{folder}/{name}").st_ino for name in folders + files)
        return len(found)

    def nameless(self, own):
        used = self.used()
        return 0 if used is None else used - self.reachable() - own

    def check_clean(self, what):
        if left := os.listdir(f"{self.disk}/work/work"):
            fail(f"{what}: left in the work directory: {left}")
        if (nameless := self.nameless(self.own)) != 0:
            fail(f"{what}: {nameless} files without a name take up space")


def same(what, found, wanted):
    if lines := fs_fuzz.differences(wanted, found, ["wanted", "found"]):
        fail(f"{what}:\n" + "\n".join(lines))


def kernel_view(box):
    """The tree as kernel overlayfs shows it, where it can."""
    options = box.options() + ",xino=off,index=on,metacopy=off,redirect_dir=off"
    if subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, box.root], stderr=subprocess.DEVNULL).returncode:
        return None
    try:
        return box.snapshot()
    except OSError as error:
        # With index=on kernel overlayfs writes when it looks at directories, and here there is no space.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return None
    finally:
        subprocess.run(["umount", box.root], check=True)


def check_again(box, what, tree):
    """The server has nothing in memory that is not on the disk."""
    box.unmount()
    box.mount()
    same(f"{what}, mounted again", box.snapshot(), tree)
    box.unmount()
    if (seen := kernel_view(box)) is not None:
        same(f"{what}, with kernel overlayfs", seen, tree)
    return seen is not None


def try_operation(box, filler, name, act, counts):
    """With more and more units, until it succeeds."""
    box.reset()
    before, failures = box.snapshot(), 0
    for units in range(MOST):
        filler.leave(units)
        what = f"{name}, with {units} left"
        result = fs_faults.attempt(act, box.root)
        if result is None:
            break
        if result != filler.error:
            fail(f"{what}: {errno.errorcode[result]}")
        failures += 1
        if name not in STEPPED:
            same(f"{what}: the tree was changed", box.snapshot(), before)
        box.check_clean(what)
    else:
        fail(f"{name}: fails with {MOST} units left")
    after = box.snapshot()
    box.check_clean(name)
    filler.free()
    # The same on a file system that is not full is what it must have become.
    box.unmount()
    box.reset()
    if (result := fs_faults.attempt(act, box.root)) is not None:
        fail(f"{name}, with enough of everything: {errno.errorcode[result]}")
    same(f"{name}: another tree than with enough of everything", after, box.snapshot())
    counts["failures"] += failures
    counts["kernel"] += check_again(box, name, after)
    return failures


# Repeated until the file system is full; each makes what a number says.
REPEATED = {
    "writing": lambda r, i: write_file(f"{r}/dir/w{i}", 3000),
    "creating": lambda r, i: os.close(os.open(f"{r}/dir/c{i}", os.O_CREAT | os.O_EXCL | os.O_WRONLY)),
    "copy-up": lambda r, i: os.close(os.open(f"{r}/many/{i}", os.O_WRONLY)),
    "mkdir": lambda r, i: os.mkdir(f"{r}/dir/d{i}"),
    "rename of lower files": lambda r, i: os.rename(f"{r}/many/{i}", f"{r}/dir/m{i}"),
    "unlink of lower files": lambda r, i: os.unlink(f"{r}/many/{i}"),
    "setxattr": lambda r, i: os.setxattr(f"{r}/many/{i}", "user.x", bytes(2000)),
    "symlink": lambda r, i: os.symlink("y" * 500, f"{r}/dir/s{i}"),
}


def repeat(box, filler, name, act):
    box.reset()
    filler.leave(filler.few)
    tree, number = box.snapshot(), 0
    while True:
        if number == MANY:
            filler.free()
            box.unmount()
            return None  # it needs nothing of this resource
        result = fs_faults.attempt(lambda root: act(root, number), box.root)
        now = box.snapshot()
        if result is not None:
            break
        tree, number = now, number + 1
    if result != filler.error:
        fail(f"{name}: number {number}: {errno.errorcode[result]}")
    if name == "writing":
        # The name was made, and what write(2) did not report is not in it.
        now = {path: text for path, text in now.items() if path != f"dir/w{number}"}
    same(f"{name}: number {number} failed and changed the tree", now, tree)
    box.check_clean(name)
    filler.free()
    for again in range(number, number + 5):
        if (result := fs_faults.attempt(lambda root: act(root, again), box.root)) is not None:
            fail(f"{name}: number {again} fails with space again: {errno.errorcode[result]}")
    check_again(box, name, box.snapshot())
    return number


def fill(box, disk_error, act, check):
    """From an empty file system to a full one, through the mount."""
    box.reset()
    number = 0
    while (result := fs_faults.attempt(lambda root: act(root, number), box.root)) is None:
        number += 1
    if result != disk_error:
        fail(f"filling: {errno.errorcode[result]}")
    check(number)
    box.check_clean("filling")
    tree = box.snapshot()
    check_again(box, "filling", tree)
    return number


def fill_by_writes(box):
    """What write(2) has reported is in the file, not a byte more or less."""
    block, written, chunk = os.urandom(1 << 16), 0, 0

    def act(root, _):
        nonlocal written, chunk
        with open(f"{root}/big", "ab", buffering=0) as file:
            chunk = file.write(block)
            written += chunk

    def check(_):
        with open(f"{box.root}/big", "rb") as file:
            size = 0
            while data := file.read(1 << 16):
                want = (block * 2)[size % len(block):][:len(data)] if written % len(block) == 0 else None
                if want is not None and data != want:
                    fail(f"the file differs at {size}")
                size += len(data)
        if size != written:
            fail(f"{written} bytes were written, the file has {size}")

    fill(box, errno.ENOSPC, act, check)
    return written


def fill_by_copies(box):
    def check(number):
        for i in range(number + 1):
            with open(f"{box.root}/large/{i}", "rb") as one, open(f"{box.lower}/large/{i}", "rb") as other:
                if one.read() != other.read():
                    fail(f"copy {i} differs")

    return fill(box, errno.ENOSPC, lambda root, i: os.close(os.open(f"{root}/large/{i}", os.O_WRONLY)), check)


def mount_when_full(box, filler):
    """Whoever has filled it can still mount it and make space."""
    box.reset()
    write_file(f"{box.root}/large", 1 << 20)
    filler.leave(0)
    tree = box.snapshot()
    check_again(box, "mounting with nothing left", tree)
    box.mount()
    os.unlink(f"{box.root}/large")
    filler.free()
    os.unlink(f"{box.root}/file")
    box.unmount()
    if not stat.S_ISCHR(os.lstat(f"{box.disk}/upper/file").st_mode):
        fail("a mount with nothing left goes on without whiteouts")


def build(lower):
    fs_faults.build(lower)
    os.mkdir(f"{lower}/many")
    for number in range(MANY):
        write_file(f"{lower}/many/{number}", 3000)


def main():
    disk, lower, mnt = (os.path.abspath(path) for path in sys.argv[1:4])
    build(lower)
    for resource in sys.argv[4:]:
        filler = RESOURCES[resource](disk)
        box = Box(disk, lower, mnt)
        counts = {"failures": 0, "kernel": 0}
        failed = {name: try_operation(box, filler, name, act, counts) for name, act in OPERATIONS.items()}
        print(f"{resource}: {len(failed)} operations, {counts['failures']} failures, {counts['kernel']} trees compared with "
              f"kernel overlayfs; never failed: {', '.join(name for name, count in failed.items() if count == 0) or 'none'}", flush=True)
        if not counts["failures"]:
            fail(f"{resource}: nothing has ever failed")
        numbers = {name: repeat(box, filler, name, act) for name, act in REPEATED.items()}
        print(f"{resource}: until full: {numbers}", flush=True)
        mount_when_full(box, filler)
        if resource == "blocks":
            print(f"written until full: {fill_by_writes(box)} bytes", flush=True)
            os.mkdir(f"{lower}/large")
            for number in range(40):
                write_file(f"{lower}/large/{number}", 4 << 20)
            print(f"copied until full: {fill_by_copies(box)} files of 4 MiB", flush=True)
            shutil.rmtree(f"{lower}/large")
        for part in ("upper", "work"):
            shutil.rmtree(f"{disk}/{part}")


if __name__ == "__main__":
    main()
