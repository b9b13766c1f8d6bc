#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Load on one mount of nacre-fs, by two kinds of processes at once.

  fs_load.py build LOWERDIR SEED PROCESSES          fills a lower layer, before it is mounted
  fs_load.py MOUNT LOWERDIR SEED SECONDS PROCESSES  runs
  fs_load.py release MOUNT                          lets the kernel forget what it knows of the tree

Even processes are checkers: each changes files of its own in every way there is and knows what
is in them; every byte read is compared. Odd ones work in a tree that all of them share: only
errors that cannot be explained, and hangs, count. A process's stream of operations depends on
the seed and its number only; the time says how far it gets.
"""

import ctypes
import errno
import hashlib
import mmap
import multiprocessing
import os
import random
import signal
import stat
import sys
import time
import traceback

import fs_fuzz

LIMIT = 300000  # bytes in a checked file
GENERATIONS = 24  # files of one checker, one after the other, so that there is always one to copy up
LIFE = 150  # operations before it goes on to the next one
STREAMS = 6  # files of STREAM_BLOCKS blocks, for page cache that somebody must write back
STREAM_BLOCKS = 32
BLOCK = 65536
PAGE = mmap.PAGESIZE
PATIENCE = 60  # seconds one operation may take
KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE = 1, 2, 16
NOREPLACE, EXCHANGE = 1, 2

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class Wrong(Exception):
    pass


def fallocate(fd, mode, at, size):
    while libc.fallocate(fd, mode, at, size) != 0:
        if ctypes.get_errno() != errno.EINTR:
            raise OSError(ctypes.get_errno(), "fallocate")


def renameat2(one, other, flags):
    if libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def operation(table, weight, *expected):
    """`expected`: the errors that may come of it."""
    def add(function):
        function.expected = frozenset(expected)
        table.extend([function] * weight)
        return function
    return add


# --- checkers ---------------------------------------------------------------------------

CHECKED = []


def lower_content(seed, number, generation):
    rng = random.Random(f"{seed} {number} {generation}")
    return rng.randbytes(rng.choice([0, 1, PAGE, rng.randrange(LIMIT), rng.randrange(LIMIT)]))


def in_lower(number):
    return number % 4 == 0  # every other checker


class Checker:
    """One process with one file at a time, and a model of what is in it."""

    def __init__(self, mount, seed, number, rng):
        self.folder, self.number, self.rng = f"{mount}/checked", number, rng
        self.readers, self.writer, self.kept = [], None, None
        self.model, self.steps, self.generation = bytearray(), 0, 0
        self.digests, self.compared = {}, 0
        self.buffer = mmap.mmap(-1, 16 * PAGE)  # aligned, for O_DIRECT
        if in_lower(number):
            for generation in range(GENERATIONS):
                self.digests[generation] = self.digest(lower_content(seed, number, generation))
        self.streams, self.doing = {}, ""
        self.take()

    @property
    def path(self):
        return f"{self.folder}/{self.number}.{self.generation}"

    @staticmethod
    def digest(data):
        return hashlib.sha1(data).digest()

    def take(self):
        """The file of this generation: what is in it is known by its digest alone."""
        if self.generation not in self.digests:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            self.digests[self.generation] = self.digest(b"")
        with open(self.path, "rb") as file:
            self.model = bytearray(file.read())
        if self.digest(self.model) != self.digests[self.generation]:
            raise Wrong(f"{self.path}: not what was left in it")
        # Some are open for reading before the copy-up, and see it all the same.
        self.readers = [os.open(self.path, os.O_RDONLY)]
        self.open_writer()

    def leave(self):
        self.compare(os.pread(self.readers[0], LIMIT * 2, 0), 0, LIMIT * 2, "the whole file")
        self.close()
        self.digests[self.generation] = self.digest(self.model)

    def open_writer(self):
        if self.writer is None:
            self.writer = os.open(self.path, os.O_RDWR)

    def close(self):
        for fd in [*self.readers, *([self.writer] if self.writer is not None else [])]:
            os.close(fd)
        if self.kept is not None:
            self.kept.close()
        self.readers, self.writer, self.kept = [], None, None

    def compare(self, found, at, size, how):
        wanted = bytes(self.model[at:at + size])
        self.compared += len(wanted)
        if found == wanted:
            return
        where = next((i for i, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
        raise Wrong(f"{self.path}: {how} of {size} at {at}: {len(found)} bytes, want {len(wanted)}; the first difference "
                    f"at {at + where}: {found[where:where + 8].hex()}, want {wanted[where:where + 8].hex()}; "
                    f"the file has {len(self.model)}")

    def put(self, at, data):
        if at > len(self.model):
            self.model.extend(bytes(at - len(self.model)))
        self.model[at:at + len(data)] = data

    def resize(self, size):
        if size < len(self.model):
            del self.model[size:]
        else:
            self.model.extend(bytes(size - len(self.model)))

    def check_size(self):
        for st in (os.fstat(self.writer), os.stat(self.path)):
            if st.st_size != len(self.model):
                raise Wrong(f"{self.path}: size {st.st_size}, want {len(self.model)}")

    def any_fd(self, choice):
        fds = [*self.readers, self.writer]
        return fds[choice % len(fds)]

    def inside(self, choice):
        """A page-aligned part of the file: where it begins, and how long it is."""
        pages = (len(self.model) + PAGE - 1) // PAGE
        first = choice % pages
        return first * PAGE, min(len(self.model) - first * PAGE, (choice // 7 % 9 + 1) * PAGE)

    def step(self):
        self.steps += 1
        if self.steps % LIFE == 0:
            self.leave()
            self.generation = (self.generation + 1) % GENERATIONS
            self.take()
            return
        function, rng = self.rng.choice(CHECKED), random.Random(self.rng.random())
        self.doing = function.__name__
        at, size, choice = rng.randrange(LIMIT), rng.randrange(1, 70000), rng.randrange(1 << 20)
        # Most that happens in a file happens near pages.
        if choice % 3 == 0:
            at, size = at // PAGE * PAGE, (size + PAGE - 1) // PAGE * PAGE
        try:
            function(self, rng, at, min(size, LIMIT - at), choice)
        except OSError as error:
            if error.errno not in function.expected:
                raise

    def finish(self):
        self.leave()
        for self.generation in sorted(self.digests):
            self.take()
            self.compare(os.pread(self.readers[0], LIMIT * 2, 0), 0, LIMIT * 2, "the file at the end")
            self.close()
        for index, stamp in self.streams.items():
            self.read_stream(index, stamp)

    def stream_block(self, index, stamp, block):
        return f"{self.number} {index} {stamp} {block}\n".encode().ljust(64, b".") * (BLOCK // 64)

    def read_stream(self, index, stamp):
        with open(f"{self.folder}/{self.number}.stream{index}", "rb", buffering=0) as file:
            for block in range(STREAM_BLOCKS):
                if file.read(BLOCK) != self.stream_block(index, stamp, block):
                    raise Wrong(f"{file.name}: block {block} of version {stamp} is not what was written")
                self.compared += BLOCK


@operation(CHECKED, 8)
def read(checker, _, at, size, choice):
    checker.compare(os.pread(checker.any_fd(choice), size, at), at, size, "read")


@operation(CHECKED, 8)
def write(checker, rng, at, size, _):
    data = rng.randbytes(size)
    if (done := os.pwrite(checker.writer, data, at)) != size:
        raise Wrong(f"{checker.path}: {done} of {size} written")
    checker.put(at, data)
    checker.check_size()


@operation(CHECKED, 3)
def append(checker, rng, _, size, choice):
    size = max(0, min(size // (1 + choice % 40), LIMIT - len(checker.model)))
    data = rng.randbytes(size)
    fd = os.open(checker.path, os.O_WRONLY | os.O_APPEND)
    try:
        if os.write(fd, data) != size:
            raise Wrong(f"{checker.path}: a part of {size} appended")
    finally:
        os.close(fd)
    checker.put(len(checker.model), data)
    checker.check_size()


@operation(CHECKED, 4)
def truncate(checker, _, at, __, choice):
    if choice % 2:
        os.ftruncate(checker.writer, at)
    else:
        os.truncate(checker.path, at)
    checker.resize(at)
    checker.check_size()


@operation(CHECKED, 1)
def open_truncated(checker, *_):
    os.close(os.open(checker.path, os.O_WRONLY | os.O_TRUNC))
    checker.resize(0)
    checker.check_size()


@operation(CHECKED, 5, errno.EOPNOTSUPP)
def allocate(checker, _, at, size, choice):
    mode = [0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE][choice % 5]
    fallocate(checker.writer, mode, at, size)
    if not mode & KEEP_SIZE and at + size > len(checker.model):
        checker.resize(at + size)
    if mode & (PUNCH_HOLE | ZERO_RANGE):
        end = min(at + size, len(checker.model))
        if at < end:
            checker.model[at:end] = bytes(end - at)
    checker.check_size()


@operation(CHECKED, 4)
def map_and_read(checker, _, __, ___, choice):
    if checker.model:
        at, size = checker.inside(choice)
        with mmap.mmap(checker.any_fd(choice), size, prot=mmap.PROT_READ, offset=at) as pages:
            checker.compare(pages[:], at, size, "read through a mapping")


@operation(CHECKED, 4)
def map_and_write(checker, rng, _, __, choice):
    if checker.model:
        at, size = checker.inside(choice)
        data = rng.randbytes(size)
        with mmap.mmap(checker.writer, size, offset=at) as pages:
            pages[:] = data
            if choice % 3:
                pages.flush()
        checker.put(at, data)


@operation(CHECKED, 3)
def read_kept_mapping(checker, *_):
    """A mapping of the beginning that stays, also over a copy-up."""
    if checker.kept is None and checker.model:
        checker.kept = mmap.mmap(checker.readers[0], len(checker.model), prot=mmap.PROT_READ)
    if checker.kept is not None:
        # Beyond the end of the file there is SIGBUS.
        size = min(len(checker.kept), len(checker.model))
        checker.compare(checker.kept[:size], 0, size, "read through a mapping that stays")


@operation(CHECKED, 4)
def copy_range(checker, _, at, size, choice):
    source = choice % (len(checker.model) + 1)
    size = min(size, len(checker.model) - source, abs(source - at))
    if size <= 0:
        return
    done = os.copy_file_range(checker.writer, checker.writer, size, source, at)
    if not 0 < done <= size:
        raise Wrong(f"{checker.path}: copy_file_range of {size} copied {done}")
    checker.put(at, checker.model[source:source + done])
    checker.check_size()


@operation(CHECKED, 4)
def reopen(checker, _, __, ___, choice):
    kind = choice % 4
    if kind == 0:  # all: the next one to open decides anew how it is served
        checker.close()
        checker.readers = [os.open(checker.path, os.O_RDONLY)]
    elif kind == 1:
        os.close(checker.writer)
        checker.writer = None
    elif len(checker.readers) > 2:
        os.close(checker.readers.pop(0))
    else:
        checker.readers.append(os.open(checker.path, os.O_RDONLY))
    checker.open_writer()


@operation(CHECKED, 2)
def sync(checker, _, __, ___, choice):
    (os.fsync if choice % 2 else os.fdatasync)(checker.any_fd(choice))


@operation(CHECKED, 4)
def forget_pages(checker, _, at, size, choice):
    os.posix_fadvise(checker.any_fd(choice), *((0, 0) if choice % 2 else (at, size)), os.POSIX_FADV_DONTNEED)


@operation(CHECKED, 4)
def direct(checker, rng, at, _, choice):
    at, pages = at // PAGE * PAGE, choice % 16 + 1
    data = rng.randbytes(pages * PAGE)
    try:
        fd = os.open(checker.path, os.O_RDWR | os.O_DIRECT)
    except OSError as error:
        if error.errno == errno.EINVAL:  # the file system below does not have it
            return
        raise
    try:
        with memoryview(checker.buffer)[:pages * PAGE] as part:
            if choice % 2:
                part[:] = data
                if os.pwritev(fd, [part], at) != len(data):
                    raise Wrong(f"{checker.path}: a part of {len(data)} written with O_DIRECT")
                checker.put(at, data)
            else:
                done = os.preadv(fd, [part], at)
                checker.compare(bytes(part[:done]), at, len(data), "read with O_DIRECT")
    finally:
        os.close(fd)
    checker.check_size()


@operation(CHECKED, 3, errno.ENXIO, errno.EINVAL)
def seek_data(checker, _, at, __, ___):
    data = os.lseek(checker.readers[0], at, os.SEEK_DATA)
    if any(checker.model[at:data]):
        raise Wrong(f"{checker.path}: SEEK_DATA at {at} says {data}, over data that is not zero")


@operation(CHECKED, 1)
def replace(checker, rng, _, size, __):
    data = rng.randbytes(size)
    with open(checker.path + ".new", "xb") as file:
        file.write(data)
    os.rename(checker.path + ".new", checker.path)
    # The old file has lost its name, and is still read by who has it open.
    checker.compare(os.pread(checker.readers[0], LIMIT * 2, 0), 0, LIMIT * 2, "read of a replaced file")
    checker.close()
    checker.model = bytearray(data)
    checker.readers = [os.open(checker.path, os.O_RDONLY)]
    checker.open_writer()
    checker.check_size()


@operation(CHECKED, 2)
def stream(checker, _, __, ___, choice):
    index = choice % STREAMS
    if index in checker.streams and choice % 5:
        return checker.read_stream(index, checker.streams[index])
    stamp = checker.steps
    with open(f"{checker.folder}/{checker.number}.stream{index}", "wb", buffering=0) as file:
        for block in range(STREAM_BLOCKS):
            file.write(checker.stream_block(index, stamp, block))
        if choice % 3 == 0:
            os.fsync(file.fileno())
    checker.streams[index] = stamp
    return None


# --- a tree for all ---------------------------------------------------------------------

SHARED = []
NAMES = ["a", "b", "c", "d", "e"]
PATH = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # somebody else was faster
XATTRS = ["trusted.mine", "trusted.other"]
KEPT = 6


class Stress:
    def __init__(self, mount, rng):
        self.root, self.rng, self.kept, self.doing = f"{mount}/shared", rng, [], ""

    def step(self):
        function, rng = self.rng.choice(SHARED), random.Random(self.rng.random())
        self.doing = function.__name__
        try:
            function(self, rng)
        except OSError as error:
            if error.errno not in function.expected:
                raise

    def at(self, rng):
        return "/".join([self.root, *(rng.choice(NAMES) for _ in range(rng.randint(1, 3)))])

    def keep(self, fd):
        self.kept.append(fd)
        if len(self.kept) > KEPT:
            os.close(self.kept.pop(0))

    def pick(self, rng):
        return self.kept[rng.randrange(len(self.kept))] if self.kept else None

    def finish(self):
        for fd in self.kept:
            os.close(fd)


@operation(SHARED, 6, *PATH, errno.EEXIST)
def create(stress, rng):
    path, data = stress.at(rng), rng.randbytes(rng.randrange(9000))
    with open(path, "xb") as file:
        file.write(data)


@operation(SHARED, 4, *PATH, errno.EISDIR)
def overwrite(stress, rng):
    path, at, data = stress.at(rng), rng.randrange(40000), rng.randbytes(rng.randrange(1, 9000))
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | rng.choice([0, 0, os.O_TRUNC, os.O_APPEND]))
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.pwrite(fd, data, at)
    finally:
        os.close(fd)


@operation(SHARED, 5, *PATH)
def read_file(stress, rng):
    fd = os.open(stress.at(rng), os.O_RDONLY | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            os.pread(fd, 50000, 0)
    finally:
        os.close(fd)


@operation(SHARED, 2, *PATH, errno.EISDIR, errno.EINVAL)
def truncate_file(stress, rng):
    path, size = stress.at(rng), rng.randrange(30000)
    os.truncate(path, size)


@operation(SHARED, 6, *PATH, errno.EEXIST)
def make_dir(stress, rng):
    os.mkdir(stress.at(rng), 0o755)


@operation(SHARED, 5, *PATH, errno.ENOTEMPTY)
def remove_dir(stress, rng):
    os.rmdir(stress.at(rng))


@operation(SHARED, 5, *PATH, errno.EISDIR)
def unlink(stress, rng):
    os.unlink(stress.at(rng))


@operation(SHARED, 2)
def remove_tree(stress, rng):
    for folder, folders, files in os.walk(stress.at(rng), topdown=False):
        for name in files:
            try:
                os.unlink(f"{folder}/{name}")
            except OSError as error:
                if error.errno not in (*PATH, errno.EISDIR):
                    raise
        for name in folders:
            path = f"{folder}/{name}"
            try:
                (os.unlink if os.path.islink(path) else os.rmdir)(path)
            except OSError as error:
                if error.errno not in (*PATH, errno.ENOTEMPTY, errno.EISDIR):
                    raise


# EXDEV: kernel overlayfs does not move directories that lie in a lower layer, either.
@operation(SHARED, 8, *PATH, errno.ENOTEMPTY, errno.EISDIR, errno.EINVAL, errno.EXDEV)
def rename(stress, rng):
    one, other = stress.at(rng), stress.at(rng)
    os.rename(one, other)


@operation(SHARED, 4, *PATH, errno.EEXIST, errno.EINVAL, errno.EXDEV, errno.ENOTEMPTY)
def exchange(stress, rng):
    one, other = stress.at(rng), stress.at(rng)
    renameat2(one, other, rng.choice([NOREPLACE, EXCHANGE, EXCHANGE]))


@operation(SHARED, 4, *PATH, errno.EEXIST, errno.EPERM)
def link(stress, rng):
    one, other = stress.at(rng), stress.at(rng)
    os.link(one, other, follow_symlinks=False)


@operation(SHARED, 3, *PATH, errno.EEXIST)
def symlink(stress, rng):
    os.symlink(rng.choice(NAMES), stress.at(rng))


@operation(SHARED, 2, *PATH, errno.EEXIST)
def make_fifo(stress, rng):
    os.mknod(stress.at(rng), 0o644 | stat.S_IFIFO)


@operation(SHARED, 3, *PATH)
def set_attribute(stress, rng):
    path, name, value = stress.at(rng), rng.choice(XATTRS), rng.randbytes(rng.randrange(1, 200))
    os.setxattr(path, name, value, follow_symlinks=False)


@operation(SHARED, 3, *PATH, errno.ENODATA)
def get_attribute(stress, rng):
    path, name = stress.at(rng), rng.choice(XATTRS)
    os.listxattr(path, follow_symlinks=False)
    os.getxattr(path, name, follow_symlinks=False)


@operation(SHARED, 1, *PATH, errno.ENODATA)
def remove_attribute(stress, rng):
    os.removexattr(stress.at(rng), rng.choice(XATTRS), follow_symlinks=False)


@operation(SHARED, 5, *PATH)
def list_dir(stress, rng):
    with os.scandir(stress.at(rng) if rng.random() < 0.7 else stress.root) as entries:
        for entry in entries:
            try:
                entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                pass


@operation(SHARED, 1)
def walk(stress, _):
    for _ in os.walk(stress.root):
        pass


@operation(SHARED, 4, *PATH, errno.EINVAL)
def look(stress, rng):
    path = stress.at(rng)
    os.lstat(path)
    os.access(path, os.X_OK)
    os.readlink(path)


@operation(SHARED, 3, *PATH)
def change_attributes(stress, rng):
    path, mode, owner, when = stress.at(rng), rng.choice([0o644, 0o700, 0o2755]), rng.choice([0, 7]), rng.randrange(10**18)
    kind = rng.randrange(3)
    if kind == 0:
        os.chmod(path, mode)
    elif kind == 1:
        os.chown(path, owner, owner, follow_symlinks=False)
    else:
        os.utime(path, ns=(when, when), follow_symlinks=False)


@operation(SHARED, 2, *PATH, errno.EEXIST, errno.EOPNOTSUPP)
def link_nameless(stress, rng):
    folder, name = stress.at(rng), stress.at(rng)
    fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o640)
    table = os.open("/proc/self/fd", os.O_RDONLY)
    try:
        os.write(fd, b"nameless")
        # Python follows a link only when it has a folder to begin at.
        os.link(str(fd), name, src_dir_fd=table, follow_symlinks=True)
    finally:
        os.close(fd)
        os.close(table)


@operation(SHARED, 5, *PATH)
def keep_open(stress, rng):
    path = stress.at(rng)
    kind = os.O_RDONLY if os.path.isdir(path) else rng.choice([os.O_RDONLY, os.O_RDWR])
    try:
        stress.keep(os.open(path, kind | os.O_NONBLOCK | os.O_NOFOLLOW))
    except IsADirectoryError:
        pass  # it has become one


# A directory that was removed is not listed, and has no attributes to change in a lower layer.
@operation(SHARED, 8, errno.ENOENT)
def use_kept(stress, rng):
    fd, what = stress.pick(rng), rng.randrange(6)
    data, at = rng.randbytes(rng.randrange(1, 5000)), rng.randrange(30000)
    if fd is None:
        return
    st = os.fstat(fd)
    if stat.S_ISDIR(st.st_mode):
        if what < 2:
            os.fsync(fd)
        elif what < 4:
            os.listdir(fd)
        else:
            os.fstat(fd)
        return
    if not stat.S_ISREG(st.st_mode):
        return
    try:
        if what < 2:
            os.pread(fd, 50000, 0)
        elif what == 2:
            os.pwrite(fd, data, at)
        elif what == 3:
            os.ftruncate(fd, at)
        elif what == 4:
            os.fchmod(fd, 0o644)
        else:
            os.fsync(fd)
    except OSError as error:
        # Those for reading only.
        if error.errno not in (errno.EBADF, errno.EINVAL) or what not in (2, 3):
            raise


# --- running them -----------------------------------------------------------------------

class Board:
    """What the processes tell the one that watches them: in shared memory."""

    def __init__(self, processes):
        self.steps = multiprocessing.RawArray("Q", processes)
        self.compared = multiprocessing.RawArray("Q", processes)
        self.finished = multiprocessing.RawArray("b", processes)
        self.end = multiprocessing.RawValue("d", 0)


def make_worker(mount, seed, number):
    rng = random.Random(f"{seed} {number}")
    return Checker(mount, seed, number, rng) if number % 2 == 0 else Stress(mount, rng)


def work(mount, seed, number, board):
    worker = None
    try:
        worker = make_worker(mount, seed, number)
        while time.monotonic() < board.end.value:
            worker.step()
            board.steps[number] += 1
        worker.doing = "the end"
        worker.finish()
        board.compared[number] = getattr(worker, "compared", 0)
        board.finished[number] = 1
    except (OSError, Wrong, ValueError) as error:
        trace = "".join(traceback.format_exception(error)[-2:]) if not isinstance(error, Wrong) else f"{error}\n"
        print(f"process {number}, after {board.steps[number]} operations, in {getattr(worker, 'doing', 'the beginning')}:\n{trace}",
              end="", flush=True)
        os._exit(1)


def describe_hang(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        for file in ("wchan", "syscall", "stack"):
            try:
                with open(f"/proc/{pid}/task/{task}/{file}", encoding="ascii") as text:
                    print(f"  {task} {file}: {text.read().strip()}")
            except OSError:
                pass


def abort_connection(device):
    """So that nobody waits for ever for a server that does not answer."""
    try:
        with open(f"/sys/fs/fuse/connections/{os.minor(device)}/abort", "w", encoding="ascii") as file:
            file.write("1")
    except OSError as error:
        print(f"the connection cannot be aborted: {error}")


def watch(children, board, device):
    """Yields what is wrong with them."""
    seen, since, wrong = {}, {}, []
    while alive := [i for i, child in enumerate(children) if child.exitcode is None]:
        time.sleep(0.2)
        now = time.monotonic()
        for i in alive:
            if seen.get(i) != board.steps[i]:
                seen[i], since[i] = board.steps[i], now
            if now - since.setdefault(i, now) > PATIENCE:
                wrong.append(f"process {i} hangs after {board.steps[i]} operations")
                describe_hang(children[i].pid)
        failed = [i for i, child in enumerate(children) if child.exitcode not in (None, 0)]
        if failed:
            board.end.value = 0
        if wrong:
            abort_connection(device)
            for i in alive:
                os.kill(children[i].pid, signal.SIGKILL)
                children[i].join(10)
            break
    for i, child in enumerate(children):
        if child.exitcode != 0:
            wrong.append(f"process {i} ended with {child.exitcode}")
        elif not board.finished[i]:
            wrong.append(f"process {i} did not finish")
    return wrong


def build(lower, seed, processes):
    os.makedirs(f"{lower}/checked")
    for number in filter(in_lower, range(0, processes, 2)):
        for generation in range(GENERATIONS):
            with open(f"{lower}/checked/{number}.{generation}", "xb") as file:
                file.write(lower_content(seed, number, generation))
    rng = random.Random(seed)
    for path in [f"{lower}/shared/{x}/{y}" for x in NAMES[:3] for y in NAMES[:3]]:
        os.makedirs(path)
        for name in NAMES[:4]:
            with open(f"{path}/{name}", "xb") as file:
                file.write(rng.randbytes(rng.randrange(30000)))
    for name in NAMES[:3]:
        os.symlink(name, f"{lower}/shared/{name}/e")


def release(mount):
    """Only what has no pages in memory can be forgotten."""
    for folder, _, files in os.walk(mount):
        for name in files:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                fd = os.open(path, os.O_RDONLY)
                os.fsync(fd)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("2")


def run(mount, lower, seed, seconds, processes):
    print(f"seed {seed}, {seconds} s, {processes} processes", flush=True)
    below = fs_fuzz.snapshot(lower)
    device = os.stat(mount).st_dev
    board = Board(processes)
    board.end.value = time.monotonic() + seconds
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=work, args=(mount, seed, i, board)) for i in range(processes)]
    for child in children:
        child.start()
    wrong = watch(children, board, device)
    print(f"{sum(board.steps)} operations, {sum(board.compared) >> 20} MiB compared", flush=True)
    if not wrong:
        if numbers := fs_fuzz.inconsistent_numbers(mount):
            wrong.append(f"d_ino is not st_ino: {numbers[:5]}")
        wrong += [f"the lower layer was changed: {line}" for line in
                  fs_fuzz.differences(below, fs_fuzz.snapshot(lower), ["before", "after"])[:5]]
    if wrong:
        sys.exit("\n".join(wrong) + f"\nseed {seed}")


def main():
    if sys.argv[1] == "build":
        build(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[1] == "release":
        release(sys.argv[2])
    else:
        mount, lower, seed, seconds, processes = sys.argv[1:]
        run(mount, lower, int(seed), float(seconds), int(processes))


if __name__ == "__main__":
    main()
