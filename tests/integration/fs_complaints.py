#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_complaints.py [--table] PROGRAM [PROBE…]: what users of fuse-overlayfs complain about, tried
on PROGRAM, which takes the command line of fuse-overlayfs. A line for each probe:

    ok NAME | skip NAME: reason | DEFECT NAME: what it did wrong

and exit status 1 if there is any defect. A probe's docstring says what the user sees; #N is an
issue of github.com/containers/fuse-overlayfs, "by reading" what its source suggests. --table
PROGRAM… prints a Markdown table of several programs, --list the probes. Needs root. Everything
happens in a mount namespace of its own, and each probe in a process that is given up after its
time."""

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MNT_FORCE, MNT_DETACH = 1, 2
PR_SET_CHILD_SUBREAPER = 36
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
MIB = 1 << 20
USER = 1000  # an ordinary user; need not have an account
HANGS = 20  # seconds after which something that takes milliseconds hangs


class Defect(Exception):
    """The file system does something wrong; its text says what."""


class Skip(Exception):
    """It cannot be tried here; its text says why."""


class Refused(Exception):
    """The program does not mount, and says why."""


# --- the system ------------------------------------------------------------------------


def mount(source, target, kind=None, flags=0, data=None):
    encoded = [None if x is None else os.fsencode(x) for x in (source, target, kind)]
    if LIBC.mount(*encoded, ctypes.c_ulong(flags), None if data is None else data.encode()) != 0:
        raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def unmount(target, flags=0):
    if LIBC.umount2(os.fsencode(target), flags) != 0:
        raise OSError(ctypes.get_errno(), f"umount {target}: {os.strerror(ctypes.get_errno())}")


def rename_with(one, other, flags):
    if LIBC.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), flags) != 0:
        raise OSError(ctypes.get_errno(), f"renameat2 {other}: {os.strerror(ctypes.get_errno())}")


def mounts_below(base):
    """(mount point, type), the innermost first."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split()
            point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
            if point == base or point.startswith(base + "/"):
                found.append((point, fields[fields.index("-") + 1]))
    return found[::-1]


def tidy(base):
    """Ends the servers that are noted in a scratch folder, and unmounts what is below it."""
    for pid in servers_of(base):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    for point, kind in mounts_below(base):
        # A server that waits for itself ends only when its connection is cut.
        if kind.startswith("fuse"):
            with contextlib.suppress(OSError):
                unmount(point, MNT_FORCE)
        with contextlib.suppress(OSError):
            unmount(point, MNT_DETACH)
    with contextlib.suppress(ChildProcessError):
        end = time.monotonic() + 10
        while time.monotonic() < end and os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass


def servers_of(base):
    with contextlib.suppress(FileNotFoundError), open(f"{base}/servers", encoding="ascii") as file:
        return [int(line) for line in file]
    return []


def eventually(condition, seconds=HANGS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def within(seconds, action, what):
    """What an action returns in a process of its own; a defect if that takes too long."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            result = {"value": action()}
        except OSError as error:
            result = {"errno": error.errno or errno.EIO, "text": str(error)}
        except Defect as error:
            result = {"defect": str(error)}
        except BaseException as error:  # pylint: disable=broad-except
            result = {"defect": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(OSError):
            os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)
    os.set_blocking(reader, False)
    data = b""

    def done():
        nonlocal data
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                return True
            data += chunk
        return False
    ended = eventually(done, seconds)
    os.close(reader)
    if not ended:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        raise Defect(f"{what} hangs")
    os.waitpid(pid, 0)
    result = json.loads(data or b'{"defect": "it died"}')
    if "errno" in result:
        raise OSError(result["errno"], result["text"])
    if "defect" in result:
        raise Defect(f"{what}: {result['defect']}" if result["defect"] == "it died" else result["defect"])
    return result["value"]


def as_user(action, what="the user's operation"):
    """An action of an ordinary user."""
    def changed():
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        return action()
    return within(HANGS, changed, what)


def background(action):
    """A process that does it; its pid. Ended by the caller, or with the probe."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            action()
        os._exit(0)
    return pid


def ended(pid):
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def write(path, data=b"data\n", mode=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    if mode is not None:
        os.chmod(path, mode)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def evict(fd):
    """Takes a file's pages out of the cache."""
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def random_bytes(size):
    """The same each time, and no block twice."""
    block = os.urandom(4088)
    return b"".join(i.to_bytes(8, "little") + block for i in range(size // 4096 + 1))[:size]


def same(what, found, wanted):
    if found != wanted:
        def short(value):
            text = repr(value)
            return text if len(text) < 70 else text[:67] + "..."
        raise Defect(f"{what}: {short(found)}, want {short(wanted)}")


class Server:
    """A running program and its mount."""

    def __init__(self, pid, point, process=None):
        self.pid, self.point, self.process = pid, point, process

    def number(self, file, name):
        with open(f"/proc/{self.pid}/{file}", encoding="ascii") as text:
            return int(re.search(rf"^{name}:\s*(\d+)", text.read(), re.M)[1])

    def written(self):
        """Bytes it has passed to system calls that write, whatever they are written to."""
        return self.number("io", "wchar")

    def memory(self):
        return self.number("status", "VmRSS") * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def processor(self):
        """Nanoseconds it has run."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def alive(self):
        if self.process is not None:
            return self.process.poll() is None
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        return False

    def forget(self):
        """Makes the kernel let go of all names and inodes that nobody uses: a remount does so
        for this mount alone."""
        mount(None, self.point, None, MS_REMOUNT)

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def unmount(self):
        unmount(self.point)
        if not eventually(lambda: not self.alive()):
            raise Defect("the server does not end after umount")

    def kill(self):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        with contextlib.suppress(OSError):
            unmount(self.point, MNT_DETACH)


class Box:
    """A scratch folder with layers, and mounts of the program over them."""

    def __init__(self, base, program):
        self.base, self.program = base, program
        self.lower, self.upper, self.work, self.mnt = (f"{base}/{n}" for n in ("lower", "upper", "work", "mnt"))
        for folder in (self.lower, self.upper, self.work, self.mnt):
            os.mkdir(folder)
            os.chmod(folder, 0o755)

    def folder(self, name):
        path = f"{self.base}/{name}"
        os.makedirs(path, exist_ok=True)
        return path

    def options(self, more="", lowers=None, upper=None, work=None, writable=True):
        text = "lowerdir=" + ":".join(lowers or [self.lower])
        if writable:
            text += f",upperdir={upper or self.upper},workdir={work or self.work}"
        return text + ("," + more if more else "")

    def mount(self, more="", point=None, user=None, limit=None, **layers):
        """Mounts; the server stays our child. `limit`: of its open files."""
        point = point or self.mnt
        log = open(f"{self.base}/log", "ab+")
        start = log.seek(0, os.SEEK_END)
        identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        command = [self.program, "-f", "-o", self.options(more, **layers), point]
        if limit is not None:
            command = ["sh", "-c", f'ulimit -n {limit} && exec "$@"', "sh"] + command
        before = len(mounts_below(point))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.base, **identity)
        with open(f"{self.base}/servers", "a", encoding="ascii") as servers:
            print(process.pid, file=servers)
        if not eventually(lambda: len(mounts_below(point)) > before or process.poll() is not None):
            raise Defect("the program does not mount, and does not end")
        if process.poll() is not None:
            log.seek(start)
            raise Refused(log.read().decode(errors="replace").strip().split("\n")[-1][-200:])
        log.close()
        server = Server(process.pid, point, process)
        # The kernel and the server have yet to agree on a protocol.
        within(HANGS, lambda: os.statvfs(point).f_namemax, "the first request")
        return server

    def again(self, server, more="", **layers):
        server.unmount()
        return self.mount(more, **layers)

    def file_system(self, kind, name, data=None):
        """A fresh file system of the kernel, in memory."""
        folder = self.folder(name)
        mount("none", folder, kind, 0, data)
        os.chmod(folder, 0o755)
        return folder

    def disk(self, name="disk", size=64 * MIB):
        """A fresh ext4: it gives a removed file's inode number to the next one."""
        if not shutil.which("mkfs.ext4"):
            raise Skip("no mkfs.ext4")
        image = f"{self.base}/{name}.image"
        with open(image, "wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, stdout=subprocess.DEVNULL)
        folder = self.folder(name)
        if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, check=False).returncode != 0:
            raise Skip("no loop devices")
        return folder

    def layers_on(self, folder):
        """Other folders for the layers, on a file system of one's choice."""
        self.lower, self.upper, self.work = (f"{folder}/{n}" for n in ("lower", "upper", "work"))
        for path in (self.lower, self.upper, self.work):
            os.mkdir(path)

    def for_user(self):
        """The upper layer and the mount point become an ordinary user's."""
        if not shutil.which("fusermount3"):
            raise Skip("no fusermount3")
        # Where /dev/fuse is root's own, we have one of our own.
        if not os.stat("/dev/fuse").st_mode & stat.S_IWOTH:
            devices = self.file_system("tmpfs", "devices")
            os.mknod(f"{devices}/fuse", 0o666 | stat.S_IFCHR, os.makedev(10, 229))
            os.chmod(f"{devices}/fuse", 0o666)
            mount(f"{devices}/fuse", "/dev/fuse", None, MS_BIND)
        for path in (self.upper, self.work, self.mnt):
            os.chown(path, USER, USER)

    def frozen_layer(self, fill):
        """A layer whose file system answers nobody until told to go on: the program itself,
        stopped. fill(folder) puts files there."""
        source, point = self.folder("slow-source"), self.folder("slow")
        fill(source)
        below = self.mount("threaded=1", point=point, lowers=[source], writable=False)
        return below, point


# --- the probes ------------------------------------------------------------------------

PROBES = {}


def probe(issue, seconds=60, tries=1):
    """`tries`: how often it must fail, where others who use the machine may be at fault."""
    def add(function):
        function.issue, function.seconds, function.tries = issue, seconds, tries
        PROBES[function.__name__] = function
        return function
    return add


def old_descriptor(box, drop):
    before = random_bytes(200000)
    write(f"{box.lower}/file", before)
    server = box.mount()
    path = f"{box.mnt}/file"
    old = os.open(path, os.O_RDONLY)
    os.pread(old, 4096, 0)
    new = os.open(path, os.O_RDWR)
    os.pwrite(new, b"N" * 8192, 0)
    os.pwrite(new, b"E" * 100, len(before))
    os.fsync(new)
    drop(old, new)
    same("the old descriptor's first block", os.pread(old, 8192, 0), b"N" * 8192)
    same("the old descriptor's end", os.pread(old, 200, len(before)), b"E" * 100)
    same("the writer's first block", os.pread(new, 8192, 0), b"N" * 8192)
    wanted = b"N" * 8192 + before[8192:] + b"E" * 100
    same("a new descriptor's data", read(path), wanted)
    os.close(old)
    os.close(new)
    same("the lower file", read(f"{box.lower}/file"), before)
    server.unmount()
    same("the upper file", read(f"{box.upper}/file"), wanted)


@probe("by reading: 2.0, passthrough")
def old_descriptor_cached(box):
    """A file is open for reading, then somebody opens it for writing: the data goes into the
    image's layer, or is lost, or the reader never sees it. (fuse-overlayfs 2.0 as root.)"""
    old_descriptor(box, lambda old, new: None)


@probe("#475")
def old_descriptor_evicted(box):
    """As before, and memory is short in between: the descriptor that was opened first reads
    the old data for ever, and so does everybody after it."""
    old_descriptor(box, lambda old, new: (evict(old), evict(new)))


@probe("#475")
def old_descriptor_drop_caches(box):
    """As before, by `echo 1 > /proc/sys/vm/drop_caches`."""
    def drop(_, new):
        os.fsync(new)
        try:
            write("/proc/sys/vm/drop_caches", b"1")
        except OSError as error:
            raise Skip(f"drop_caches: {error.strerror}") from error
    old_descriptor(box, drop)


@probe("#475")
def old_data_written_back(box):
    """A reader's old descriptor fills the cache with old data; the writer changes a few bytes
    of such a page, and the rest of the page goes to the disk as it once was."""
    before = random_bytes(64 * 1024)
    write(f"{box.lower}/file", before)
    server = box.mount()
    path = f"{box.mnt}/file"
    old = os.open(path, os.O_RDONLY)
    new = os.open(path, os.O_RDWR)
    wanted = bytearray(before)
    for start in range(0, len(before), 4096):
        os.pwrite(new, b"first", start)
        wanted[start:start + 5] = b"first"
    evict(new)
    evict(old)
    os.pread(old, len(before), 0)
    for start in range(0, len(before), 4096):
        os.pwrite(new, b"second", start + 1000)
        wanted[start + 1000:start + 1006] = b"second"
    os.close(old)
    os.close(new)
    server.unmount()
    same("the upper file", read(f"{box.upper}/file"), bytes(wanted))


def follow(box, drop):
    write(f"{box.lower}/log", b"AAAA\n")
    box.mount()
    tail = os.open(f"{box.mnt}/log", os.O_RDONLY)
    same("the beginning", os.read(tail, 100), b"AAAA\n")
    for i in range(50):
        line = b"line %d\n" % i
        writer = os.open(f"{box.mnt}/log", os.O_WRONLY | os.O_APPEND)
        os.write(writer, line)
        if drop:
            evict(writer)
        os.close(writer)
        if drop:
            os.posix_fadvise(tail, 0, 0, os.POSIX_FADV_DONTNEED)
        same(f"tail, line {i}", os.read(tail, 100), line)
    same("the lower file", read(f"{box.lower}/log"), b"AAAA\n")


@probe("by reading: 2.0, passthrough")
def tail_follows(box):
    """`tail -f log` while others append to the log: they append to the image's layer."""
    follow(box, False)


@probe("#475")
def tail_follows_evicted(box):
    """`tail -f log` shows zeros or nothing once memory was short."""
    follow(box, True)


@probe("#475")
def appenders(box):
    """Several processes append to one log of the image: lines are lost or torn."""
    write(f"{box.lower}/log", b"begin\n")
    server = box.mount()

    def append(name):
        fd = os.open(f"{box.mnt}/log", os.O_WRONLY | os.O_APPEND)
        for i in range(200):
            os.write(fd, b"%s %d\n" % (name, i))
            if i % 20 == 0:
                evict(fd)
    pids = [background(lambda name=name: append(name)) for name in (b"a", b"b", b"c", b"d")]
    if not eventually(lambda: all(ended(pid) for pid in pids), 40):
        raise Defect("appending hangs")
    server.unmount()
    lines = read(f"{box.upper}/log").split(b"\n")
    wanted = [b"begin", b""] + [b"%s %d" % (n, i) for n in (b"a", b"b", b"c", b"d") for i in range(200)]
    same("the lines, sorted", sorted(lines), sorted(wanted))


@probe("#475")
def old_descriptor_truncated(box):
    """A file is open for reading, then written anew: its reader sees the old content, padded
    with zeros to the new length."""
    write(f"{box.lower}/file", random_bytes(10000))
    box.mount()
    old = os.open(f"{box.mnt}/file", os.O_RDONLY)
    os.pread(old, 100, 0)
    new = os.open(f"{box.mnt}/file", os.O_WRONLY | os.O_TRUNC)
    os.write(new, b"short")
    evict(new)
    evict(old)
    same("the reader's data", os.pread(old, 20000, 0), b"short")
    os.ftruncate(new, 0)
    os.pwrite(new, b"L" * 23000, 0)
    evict(new)
    evict(old)
    same("the reader's longer data", os.pread(old, 30000, 0), b"L" * 23000)
    same("a new reader's data", read(f"{box.mnt}/file"), b"L" * 23000)


def sqlite(box, journal):
    database = f"{box.lower}/db"
    with contextlib.closing(sqlite3.connect(database)) as made:
        made.execute(f"pragma journal_mode={journal}")
        made.execute("create table t(k integer primary key, v blob)")
        made.executemany("insert into t values(?,?)", ((i, b"%d" % i * 200) for i in range(2000)))
        made.commit()
    server = box.mount()
    path = f"{box.mnt}/db"
    plain = os.open(path, os.O_RDONLY)  # such as a backup has it
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    reader.execute("select sum(length(v)) from t").fetchone()
    writers = [sqlite3.connect(path, timeout=20) for _ in range(2)]
    wanted = {i: b"%d" % i * 200 for i in range(2000)}
    for turn in range(12):
        writer = writers[turn % 2]
        for key in range(turn, 2000, 37):
            value = b"%d.%d" % (turn, key) * 50
            writer.execute("update t set v=? where k=?", (value, key))
            wanted[key] = value
        writer.execute("insert into t values(?,?)", (2000 + turn, b"new" * 3000))
        wanted[2000 + turn] = b"new" * 3000
        writer.commit()
        if journal == "wal":
            writer.execute("pragma wal_checkpoint(truncate)")
        evict(plain)
        os.pread(plain, 1 << 22, 0)  # whoever reads now decides what is cached
        rows = dict(reader.execute("select k, v from t"))
        if rows != wanted:
            raise Defect(f"a reader sees {sum(rows.get(k) != v for k, v in wanted.items())} wrong rows in turn {turn}")
    for connection in (reader, *writers):
        connection.close()
    os.close(plain)
    server.unmount()
    with contextlib.closing(sqlite3.connect(f"{box.upper}/db")) as check:
        same("integrity_check", check.execute("pragma integrity_check").fetchone()[0], "ok")
        if dict(check.execute("select k, v from t")) != wanted:
            raise Defect("the database on the disk has wrong rows")


@probe("#475")
def sqlite_rollback_journal(box):
    """An SQLite database of the image, such as rpm's, is damaged by updates."""
    sqlite(box, "delete")


@probe("#475")
def sqlite_write_ahead_log(box):
    """The same with journal_mode=WAL, as rpm has it."""
    sqlite(box, "wal")


@probe("#475")
def mapping_from_before(box):
    """A shared mapping made before the copy-up shows old data for ever once its pages were
    dropped."""
    write(f"{box.lower}/file", random_bytes(2 * MIB))
    box.mount()
    old = os.open(f"{box.mnt}/file", os.O_RDONLY)
    with mmap.mmap(old, 0, mmap.MAP_SHARED, mmap.PROT_READ) as pages:
        pages.madvise(mmap.MADV_RANDOM)
        _ = pages[MIB]  # the others are not touched yet
        new = os.open(f"{box.mnt}/file", os.O_RDWR)
        os.pwrite(new, b"N" * 2 * MIB, 0)
        evict(new)
        for page in (0, 4096, MIB, 2 * MIB - 4096):
            same(f"the mapping at {page}", pages[page:page + 10], b"N" * 10)


@probe("by reading")
def inode_reuse(box):
    """A removed file's number goes to the next file while somebody still has the old one
    open: the new file shows the old one's data or attributes, or the other way round."""
    box.layers_on(box.disk())
    server = box.mount()
    path = f"{box.mnt}/file"
    for turn in range(40):
        old = b"old %d\n" % turn * (1 + turn * 137 % 5000)
        new = b"new %d\n" % turn * (1 + turn * 311 % 5000)
        write(path, old)
        held = os.open(path, os.O_RDONLY)
        os.unlink(path)
        write(path, new, 0o600)
        if turn % 2:
            fd = os.open(path, os.O_RDONLY)
            evict(fd)
            evict(held)
            os.close(fd)
        same(f"turn {turn}: the new file", read(path), new)
        same(f"turn {turn}: its size", os.stat(path).st_size, len(new))
        same(f"turn {turn}: the removed file", os.pread(held, 100000, 0), old)
        same(f"turn {turn}: the removed file's size", os.fstat(held).st_size, len(old))
        if os.fstat(held).st_ino == os.stat(path).st_ino:
            raise Defect(f"turn {turn}: two files that are in use have one inode number")
        os.close(held)
        os.unlink(path)
    server.unmount()


@probe("by reading")
def inode_reuse_in_layers(box):
    """The same for a file of the image that was replaced by another of its name: `mv new f`
    while f is open."""
    box.layers_on(box.disk())
    for i in range(20):
        write(f"{box.lower}/f{i}", b"lower %d" % i)
    server = box.mount()
    for i in range(20):
        path = f"{box.mnt}/f{i}"
        held = os.open(path, os.O_RDONLY)
        write(path + ".new", b"replaced %d" % i)
        os.rename(path + ".new", path)
        same("the new file", read(path), b"replaced %d" % i)
        evict(held)
        same("the replaced file", os.pread(held, 100, 0), b"lower %d" % i)
        if os.fstat(held).st_ino == os.stat(path).st_ino:
            raise Defect("two files that are in use have one inode number")
        os.unlink(path)
        write(path, b"again")
        same("the third file", read(path), b"again")
        evict(held)
        same("the replaced file, later", os.pread(held, 100, 0), b"lower %d" % i)
        os.close(held)
    server.unmount()


@probe("#134")
def empty_file(box):
    """A file of the image is written anew with other content of a similar size, and the mount
    ends at once: the layer holds an empty file, or none of the change."""
    for i in range(200):
        write(f"{box.lower}/f{i}", b"old %d" % i)
    server = box.mount()
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    for i in range(200):
        write(f"{box.mnt}/f{i}", b"new %d" % i)
    unmount(box.mnt)
    if not eventually(lambda: not server.alive()):
        raise Defect("the server does not end after umount")
    for i in range(200):
        same(f"f{i} on the disk", read(f"{box.upper}/f{i}"), b"new %d" % i)


# --- what is copied --------------------------------------------------------------------

BIG = 64 * MIB


def big_file(path, size=BIG):
    block = os.urandom(MIB)
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(block)


def copies_nothing(box, action):
    big_file(f"{box.lower}/big")
    server = box.mount()
    os.stat(f"{box.mnt}/big")
    before, used = server.written(), os.statvfs(box.base).f_bfree
    action()
    written = server.written() - before
    used = (used - os.statvfs(box.base).f_bfree) * os.statvfs(box.base).f_frsize
    if written > BIG // 4:
        raise Defect(f"writes {written // MIB} MiB for it, a file of {BIG // MIB} MiB")
    if used > BIG // 4:
        raise Defect(f"uses {used // MIB} MiB of disk for it, a file of {BIG // MIB} MiB")


@probe("by reading")
def rm_copies(box):
    """`rm` of a big file of the image takes as long as copying it, and its space."""
    copies_nothing(box, lambda: os.unlink(f"{box.mnt}/big"))


@probe("by reading")
def rename_over_copies(box):
    """`mv small big`, where big is the image's, copies big first."""
    def action():
        write(f"{box.mnt}/small")
        os.rename(f"{box.mnt}/small", f"{box.mnt}/big")
        same("the file", read(f"{box.mnt}/big"), b"data\n")
    copies_nothing(box, action)


@probe("by reading")
def truncate_copies(box):
    """`> big` copies the data first that it then throws away."""
    def action():
        os.close(os.open(f"{box.mnt}/big", os.O_WRONLY | os.O_TRUNC))
        same("the size", os.stat(f"{box.mnt}/big").st_size, 0)
    copies_nothing(box, action)


@probe("by reading")
def rm_tree_copies(box):
    """`rm -rf` of a tree of the image copies the tree."""
    for i in range(64):
        write(f"{box.lower}/tree/d{i % 8}/f{i}", b"x" * MIB)
    server = box.mount()
    before = server.written()
    shutil.rmtree(f"{box.mnt}/tree")
    if server.written() - before > 16 * MIB:
        raise Defect(f"writes {(server.written() - before) // MIB} MiB to remove 64 files of 1 MiB")
    same("the root", os.listdir(box.mnt), [])


@probe("by reading")
def sparse_copy_up(box):
    """A file with holes takes all its apparent size once it is changed."""
    with open(f"{box.lower}/sparse", "wb") as file:
        file.truncate(256 * MIB)
        os.pwrite(file.fileno(), b"middle" * 1000, 100 * MIB)
    server = box.mount()
    with open(f"{box.mnt}/sparse", "r+b", buffering=0) as file:
        file.seek(200 * MIB)
        file.write(b"late")
        file.seek(100 * MIB)
        same("the middle", file.read(12), b"middlemiddle")
    server.unmount()
    st = os.stat(f"{box.upper}/sparse")
    same("the size", st.st_size, 256 * MIB)
    if st.st_blocks * 512 > 8 * MIB:
        raise Defect(f"the copy takes {st.st_blocks * 512 // MIB} MiB, the file had 8 KiB of data")


# --- many at once ----------------------------------------------------------------------


@probe("by reading: one lock for all", tries=2)
def copy_up_stalls(box):
    """While one big file is copied up nobody else gets an answer."""
    big_file(f"{box.lower}/big", 256 * MIB)
    for i in range(2000):
        write(f"{box.lower}/small/f{i}")
    done = 0
    for turn in range(3):
        server = box.mount()
        os.listdir(box.mnt), os.stat(f"{box.mnt}/small")
        window = {}

        def copy():
            window["from"] = time.monotonic()
            os.close(os.open(f"{box.mnt}/big", os.O_WRONLY))
            window["to"] = time.monotonic()
        thread = threading.Thread(target=copy)
        thread.start()
        times = []
        for i in range(2000):
            os.stat(f"{box.mnt}/small/f{i}")
            times.append(time.monotonic())
            if not thread.is_alive():
                break
        thread.join()
        # The first may have been answered before the server had begun.
        length = window["to"] - window["from"]
        done = sum(window["from"] + length * 0.2 < t < window["to"] - length * 0.2 for t in times)
        server.unmount()
        os.unlink(f"{box.upper}/big")
        if done > 5:
            return
    raise Defect(f"{done} of its neighbours were looked at in the middle of a copy-up of 256 MiB")


def others_are_served(box, blocker, count, prepare=False):
    """Operations of all kinds, while others wait for a layer that does not answer."""
    def fill(folder):
        for i in range(count):
            write(f"{folder}/slow/f{i}", b"slow %d" % i * 1000)
    below, point = box.frozen_layer(fill)
    for i in range(50):
        write(f"{box.lower}/quick/f{i}")
    write(f"{box.lower}/quick/sub/deep")
    server = box.mount("threaded=1", lowers=[box.lower, point])
    # Only data is still unknown when the layer stops.
    for folder in ("slow", "quick", "quick/sub"):
        for entry in os.scandir(f"{box.mnt}/{folder}"):
            entry.stat()
    if prepare:
        os.chmod(f"{box.mnt}/slow", 0o750)
        os.chmod(f"{box.mnt}/quick", 0o750)
    # Nor will the kernel forget the names, whoever empties its caches meanwhile.
    held = [os.open(f"{box.mnt}/{name}", os.O_PATH)
            for name in ("slow", "quick/sub/deep", "quick/f0", "quick/f1", "quick/f2", *(f"slow/f{i}" for i in range(count)))]
    below.stop()
    pids = [background(lambda i=i: blocker(f"{box.mnt}/slow/f{i}")) for i in range(count)]
    time.sleep(0.3)
    if all(ended(pid) for pid in pids):
        raise Skip("nobody waits for the layer: cannot be tried in this way")
    root = f"{box.mnt}/quick"
    steps = {
        "reading a file": lambda: len(read(f"{root}/f0")),
        "listing a directory": lambda: len(os.listdir(f"{root}/sub")),
        "statfs": lambda: os.statvfs(root).f_namemax,
        "creating a file": lambda: write(f"{root}/new"),
        "copy-up of another file": lambda: os.chmod(f"{root}/f1", 0o600),
        "rename": lambda: os.rename(f"{root}/new", f"{root}/moved"),
        "unlink": lambda: os.unlink(f"{root}/f2"),
        "mkdir": lambda: os.mkdir(f"{root}/folder"),
    }
    try:
        for name, step in steps.items():
            within(5, step, f"{name} while {count} wait for a slow layer")
    finally:
        below.go_on()
    if not eventually(lambda: all(ended(pid) for pid in pids)):
        raise Defect("those who waited for the layer never get an answer")
    for fd in held:
        os.close(fd)
    server.unmount()


@probe("#281", tries=2)
def parallel_reads(box):
    """20 threads, and one processor busy: one request at a time. Here four wait for a slow
    disk, and everybody else waits for them."""
    others_are_served(box, read, 4)


@probe("by reading: one lock for all", tries=2)
def parallel_copy_ups(box):
    """The same while files are copied up from a slow disk."""
    others_are_served(box, lambda path: os.close(os.open(path, os.O_RDWR)), 3, prepare=True)


@probe("by reading: one lock for all", tries=2)
def parallel_directory_copy_ups(box):
    """The same while their directory is copied up from it, too."""
    others_are_served(box, lambda path: os.close(os.open(path, os.O_RDWR)), 3)


# --- memory and descriptors ------------------------------------------------------------


@probe("#360, toolbox#513", 120, tries=2)
def big_directory_cost(box):
    """Everything is slow in a directory of 10,000 files: each step costs as much as there are
    files."""
    for i in range(10000):
        write(f"{box.lower}/big/f{i}", b"")
    for i in range(10):
        write(f"{box.lower}/small/f{i}", b"")
    server = box.mount()
    for folder in ("big", "small"):
        for entry in os.scandir(f"{box.mnt}/{folder}"):
            entry.stat()

    def cost(folder):
        before = server.processor()
        for i in range(50):
            write(f"{folder}/n{i}", b"")
            os.stat(folder)
            os.unlink(f"{folder}/n{i}")
            os.stat(folder)
        return server.processor() - before
    cost(f"{box.mnt}/small")
    pairs = [(cost(f"{box.mnt}/big"), cost(f"{box.mnt}/small")) for _ in range(3)]
    ratio = min(big / max(small, 1) for big, small in pairs)
    if ratio > 4:
        raise Defect(f"a file made and removed in a directory of 10,000 takes {ratio:.0f} times what it takes in one of 10")


@probe("#360", 120, tries=2)
def big_directory_memory(box):
    """Mail comes and goes in a directory of 10,000 files: the server grows to 13 GB."""
    for i in range(10000):
        write(f"{box.lower}/mail/f{i}", b"")
    server = box.mount()
    start = server.memory()

    def turn(number):
        for i in range(30):
            write(f"{box.mnt}/mail/n{number}.{i}", b"mail")
            if i % 6 == 0:
                os.listdir(f"{box.mnt}/mail")
        for i in range(30):
            os.unlink(f"{box.mnt}/mail/n{number}.{i}")
    # Threads that serve take turns, and each keeps some memory.
    for number in range(4):
        turn(number)
    middle = server.memory()
    for number in range(4, 10):
        turn(number)
    end = server.memory()
    # 30 listings: one that is kept is 500 KiB or more.
    if end - middle > 8 * MIB:
        raise Defect(f"grows by {(end - middle) // 1024} KiB while 180 files come and go, and 30 listings")
    if end - start > 40 * MIB:
        raise Defect(f"takes {(end - start) // MIB} MiB for a directory of 10,000 files")


@probe("#238, #222", 120, tries=2)
def memory_after_walk(box):
    """After weeks each daemon has 10–15 % of the memory. Here: walk a tree of 20,000 files,
    then let the kernel forget it."""
    for i in range(20000):
        write(f"{box.lower}/d{i // 100}/f{i}", b"")
    server = box.mount()
    start = server.memory()

    def walk():
        for folder, _, files in os.walk(box.mnt):
            for name in files:
                os.stat(f"{folder}/{name}")
    walk()
    peak = server.memory()
    server.forget()
    time.sleep(0.5)
    after = server.memory()
    walk()
    server.forget()
    time.sleep(0.5)
    later = server.memory()
    if later - after > 3 * MIB:
        raise Defect(f"grows by {(later - after) // 1024} KiB with a second walk, though the kernel has forgotten all")
    if after - start > 4 * MIB and after - start > (peak - start) // 2:
        raise Defect(f"{(peak - start) // 1024} KiB for 20,000 files, and still {(after - start) // 1024} KiB "
                     "when the kernel has forgotten all")


@probe("#238, #222")
def memory_of_removed(box):
    """The server grows with each file that was made and removed."""
    server = box.mount()

    def turn():
        for i in range(1500):
            path = f"{box.mnt}/f{i % 7}"
            write(path, b"x")
            os.unlink(path)
    turn()
    middle = server.memory()
    for _ in range(3):
        turn()
    if server.memory() - middle > MIB:
        raise Defect(f"grows by {(server.memory() - middle) // 1024} KiB with 4500 files made and removed")


def needs_descriptors(box, count):
    server = box.mount(limit=512)
    maps = []
    for i in range(count):
        fd = os.open(f"{box.mnt}/f{i}", os.O_RDONLY)
        maps.append(mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ))
        os.close(fd)
    return server, maps


@probe("#378")
def descriptors_of_mappings(box):
    """A linker maps thousands of files and closes them: EMFILE. The mount must not need a
    descriptor for each."""
    for i in range(700):
        write(f"{box.lower}/f{i}", b"%d" % i)
    try:
        _, maps = needs_descriptors(box, 700)
    except OSError as error:
        raise Defect(f"700 files mapped and closed, at most 512 open files: {error.strerror}") from error
    for i, pages in enumerate(maps):
        same(f"mapping {i}", pages[:], b"%d" % i)


@probe("#378, #34")
def descriptors_of_open_files(box):
    """The same for files that stay open: the mount's limit is not the sum of its users'."""
    for i in range(700):
        write(f"{box.lower}/f{i}", b"%d" % i)
    box.mount(limit=512)
    try:
        fds = [os.open(f"{box.mnt}/f{i}", os.O_RDONLY) for i in range(700)]
    except OSError as error:
        raise Defect(f"700 files open in containers, at most 512 in the server: {error.strerror}") from error
    for i, fd in enumerate(fds):
        same(f"file {i}", os.pread(fd, 100, 0), b"%d" % i)


@probe("#210")
def descriptors_of_directories(box):
    """mkdir and rmdir in a loop: EMFILE in the end."""
    server = box.mount()
    path = f"{box.mnt}/folder"

    def turn():
        for _ in range(500):
            os.mkdir(path)
            write(f"{path}/file")
            os.unlink(f"{path}/file")
            os.rmdir(path)
    turn()
    before = server.descriptors()
    turn()
    if server.descriptors() > before + 50:
        raise Defect(f"{server.descriptors() - before} more descriptors after 500 directories came and went")


@probe("#34, #210")
def descriptors_of_a_tree(box):
    """A tree of more directories than the server may have open files: EMFILE."""
    for i in range(1500):
        write(f"{box.lower}/a/d{i}/file", b"%d" % i)
    box.mount(limit=256)
    for i in range(1500):
        same(f"file {i}", read(f"{box.mnt}/a/d{i}/file"), b"%d" % i)
        if i % 3 == 0:
            write(f"{box.mnt}/a/d{i}/new")


@probe("#92, #290")
def descriptors_come_back(box):
    """The server has more and more files open, whatever its users do."""
    for i in range(300):
        write(f"{box.lower}/d/f{i}")
    server = box.mount()

    def turn(name):
        for i in range(300):
            path = f"{box.mnt}/d/{name}{i}"
            write(path)
            os.chmod(path, 0o600)
            os.rename(path, path + "x")
            with contextlib.suppress(OSError):
                os.rename(path, path + "y")  # there is none: an error path
            with contextlib.suppress(OSError):
                os.mkdir(path + "x")
            os.unlink(path + "x")
            os.chmod(f"{box.mnt}/d/f{i}", 0o640)
        os.listdir(f"{box.mnt}/d")
    turn("a")
    server.forget()
    before = server.descriptors()
    turn("b")
    server.forget()
    time.sleep(0.2)
    if server.descriptors() > before + 30:
        raise Defect(f"{server.descriptors() - before} more descriptors after 300 files came and went")


# --- numbers, links, times, attributes -------------------------------------------------


def numbers_in_listing(folder):
    """d_ino by name, as the directory alone gives it."""
    with os.scandir(folder) as entries:
        return {entry.name: entry.inode() for entry in entries}


@probe("#435")
def link_count_at_first(box):
    """A file with two names has the link count 1 until somebody looks at its other name."""
    write(f"{box.lower}/a/one", b"text")
    os.mkdir(f"{box.lower}/b")
    os.link(f"{box.lower}/a/one", f"{box.lower}/b/two")
    box.mount()
    one = os.stat(f"{box.mnt}/a/one")
    same("links at first sight", one.st_nlink, 2)
    two = os.stat(f"{box.mnt}/b/two")
    same("links by the other name", two.st_nlink, 2)
    same("its number", two.st_ino, one.st_ino)
    same("links afterwards", os.stat(f"{box.mnt}/a/one").st_nlink, 2)


@probe("#192, #183")
def link_count_of_new_links(box):
    """`touch a; ln a b`: a has three links."""
    write(f"{box.lower}/low")
    box.mount()
    for name in ("low", "new"):
        path = f"{box.mnt}/{name}"
        write(path)
        os.link(path, path + "2")
        same(f"links of {name}", (os.stat(path).st_nlink, os.stat(path + "2").st_nlink), (2, 2))
        same(f"the numbers of {name}", os.stat(path).st_ino, os.stat(path + "2").st_ino)
        os.unlink(path)
        same(f"links of {name} after unlink", os.stat(path + "2").st_nlink, 1)


@probe("#391")
def readdir_number(box):
    """A listing gives a file another inode number than stat, such as that of a hidden layer:
    programs see hard links where there are none."""
    low, high = box.folder("low"), box.folder("high")
    write(f"{low}/bin/busybox", b"old")
    os.link(f"{low}/bin/busybox", f"{low}/bin/arch")
    write(f"{high}/bin/busybox", b"new")
    os.symlink("busybox", f"{high}/bin/arch")
    for i in range(300):  # more than one reply
        write(f"{low}/bin/f{i}")
    os.mkdir(f"{low}/bin/both")
    os.mkdir(f"{high}/bin/both")
    server = box.mount(lowers=[high, low])
    for turn in ("cold", "warm", "after a change"):
        if turn == "after a change":
            os.chmod(f"{box.mnt}/bin/f7", 0o600)
            os.mkdir(f"{box.mnt}/bin/made")
            os.symlink("x", f"{box.mnt}/bin/link")
            server.forget()
        listed = numbers_in_listing(f"{box.mnt}/bin")
        actual = {name: os.lstat(f"{box.mnt}/bin/{name}").st_ino for name in listed}
        wrong = [name for name in listed if listed[name] != actual[name]]
        if wrong:
            raise Defect(f"{turn}: {len(wrong)} of {len(listed)} numbers differ from stat's, such as that of {wrong[0]}")
        if listed["arch"] == listed["busybox"]:
            raise Defect(f"{turn}: a file and a symlink have one inode number")


@probe("#359")
def directories_of_one_number(box):
    """One of two directories with the same inode number is left out: a bind mount in a layer."""
    write(f"{box.lower}/a/b/file")
    os.mkdir(f"{box.lower}/b")
    mount(f"{box.lower}/a/b", f"{box.lower}/b", None, MS_BIND)
    box.mount()
    same("the root", sorted(os.listdir(box.mnt)), ["a", "b"])
    same("a", os.listdir(f"{box.mnt}/a"), ["b"])
    os.stat(f"{box.mnt}/b")


def twins(box):
    """Two file systems that number their files alike, with other names."""
    one, two = box.file_system("tmpfs", "one"), box.file_system("tmpfs", "two")
    for folder, letter in ((one, "n"), (two, "o")):
        for path in ("1/2/3", "4", "5/6"):
            parts = "/".join(letter + part for part in path.split("/"))
            os.makedirs(f"{folder}/{parts}")
            write(f"{folder}/{parts}/file", parts.encode())
    return one, two


def contents(root):
    """Every name and file below a folder."""
    found = {}
    for folder, folders, files in os.walk(root):
        here = os.path.relpath(folder, root)
        found.update({os.path.normpath(f"{here}/{name}"): "dir" for name in folders})
        found.update({os.path.normpath(f"{here}/{name}"): read(f"{folder}/{name}").decode() for name in files})
    return found


@probe("#112, #359")
def same_number_on_two_devices(box):
    """Files of two layers on two file systems have one inode number: one shows the other's
    content, or both have one number."""
    one, two = twins(box)
    wanted = contents(one) | contents(two)
    box.mount(lowers=[one, two])
    for turn in ("first", "again"):
        same(f"the tree, {turn}", contents(box.mnt), wanted)
    numbers = [os.stat(f"{box.mnt}/{path}").st_ino for path in wanted]
    if len(set(numbers)) != len(numbers):
        raise Defect(f"{len(numbers) - len(set(numbers))} of {len(numbers)} files share an inode number with another")


@probe("#376")
def fast_ino(box):
    """With fast_ino=1 a directory of one layer shows the names of one of the other layer."""
    one, two = twins(box)
    wanted = contents(one) | contents(two)
    box.mount("ro,timeout=1,noacl,noatime,static_nlink,threaded=1,fast_ino=1", lowers=[one, two], writable=False)
    for turn in ("first", "again"):
        same(f"the tree, {turn}", contents(box.mnt), wanted)


@probe("#384")
def tar_file_changed(box):
    """tar of a root that has only the archive as a change: "file changed as we read it"."""
    write(f"{box.lower}/etc/file")
    os.mkdir(f"{box.lower}/tmp")
    box.mount()
    done = subprocess.run(["tar", "-cf", f"{box.mnt}/tmp/flash.tar", "--one-file-system", "--exclude=./*", "-C", box.mnt, "."],
                          capture_output=True, text=True, check=False, timeout=HANGS)
    same("tar", (done.returncode, done.stderr), (0, ""))
    write(f"{box.mnt}/etc/added")
    for _ in range(2):
        done = subprocess.run(["tar", "-cf", f"{box.base}/out.tar", "-C", box.mnt, "."],
                              capture_output=True, text=True, check=False, timeout=HANGS)
        same("tar of all", (done.returncode, done.stderr), (0, ""))


def times(path):
    st = os.lstat(path)
    return st.st_mtime_ns


@probe("#400")
def chown_changes_parent(box):
    """chown of a file changes the time of its directory."""
    for name in ("owner", "mode", "attribute", "open", "time", "sub/deep", "link"):
        write(f"{box.lower}/dir/{name}")
    for folder in ("dir", "dir/sub"):
        os.utime(f"{box.lower}/{folder}", (10 ** 9, 10 ** 9))
    server = box.mount()
    root = f"{box.mnt}/dir"
    steps = {
        "chown": lambda: os.chown(f"{root}/owner", 5, 6),
        "chown -R": lambda: subprocess.run(["chown", "-R", "7:8", root], check=True),
        "chmod": lambda: os.chmod(f"{root}/mode", 0o600),
        "setxattr": lambda: os.setxattr(f"{root}/attribute", "user.note", b"1"),
        "opening for writing": lambda: os.close(os.open(f"{root}/open", os.O_RDWR)),
        "utimes": lambda: os.utime(f"{root}/time", (5, 5)),
        "chmod deep below": lambda: os.chmod(f"{root}/sub/deep", 0o600),
    }
    for name, step in steps.items():
        step()
        for folder in ("dir", "dir/sub"):
            if os.stat(f"{box.mnt}/{folder}").st_mtime_ns != 10 ** 18:
                raise Defect(f"{name} changes the time of the directory")
    server = box.again(server)
    same("the time of the directory after mounting again", os.stat(root).st_mtime_ns, 10 ** 18)


@probe("by reading")
def symlink_copy_up(box):
    """A symlink loses its owner, time and attributes when it is renamed or linked."""
    for name in ("renamed", "linked", "owned"):
        path = f"{box.lower}/{name}"
        os.symlink("../target of it", path)
        os.lchown(path, 11, 12)
        os.setxattr(path, "trusted.note", b"kept", follow_symlinks=False)
        os.utime(path, (10 ** 9, 10 ** 9), follow_symlinks=False)
    box.mount()
    os.rename(f"{box.mnt}/renamed", f"{box.mnt}/renamed2")
    os.link(f"{box.mnt}/linked", f"{box.mnt}/linked2", follow_symlinks=False)
    os.chown(f"{box.mnt}/owned", 13, -1, follow_symlinks=False)
    for name in ("renamed2", "linked2", "linked", "owned"):
        path = f"{box.mnt}/{name}"
        st = os.lstat(path)
        same(f"{name}: target", os.readlink(path), "../target of it")
        same(f"{name}: owner", (st.st_uid, st.st_gid), (13 if name == "owned" else 11, 12))
        same(f"{name}: time", st.st_mtime_ns, 10 ** 18)
        try:
            note = os.getxattr(path, "trusted.note", follow_symlinks=False)
        except OSError as error:
            raise Defect(f"{name}: attribute: {error.strerror}") from error
        same(f"{name}: attribute", note, b"kept")


@probe("by reading")
def directory_copy_up(box):
    """A directory loses its owner, mode or attributes when something in it is changed."""
    path = f"{box.lower}/dir"
    write(f"{path}/sub/file")
    for folder in (path, f"{path}/sub"):
        os.chown(folder, 21, 22)
        os.chmod(folder, 0o3771)
        os.setxattr(folder, "user.note", b"kept")
        os.utime(folder, (10 ** 9, 10 ** 9))
    # Default ACL: u::rwx u:5:rwx g::r-x m::rwx o::---
    acl = bytes.fromhex("02000000" "01000700ffffffff" "0200070005000000" "04000500ffffffff" "10000700ffffffff" "20000000ffffffff")
    with_acl = True
    try:
        os.setxattr(f"{path}/sub", "system.posix_acl_default", acl)
    except OSError:
        with_acl = False
    os.utime(f"{path}/sub", (10 ** 9, 10 ** 9))
    server = box.mount()
    os.chmod(f"{box.mnt}/dir/sub/file", 0o600)
    for mounted in (True, False):
        for name in ("dir", "dir/sub"):
            at = f"{box.mnt if mounted else box.upper}/{name}"
            st = os.stat(at)
            same(f"{name}: owner", (st.st_uid, st.st_gid), (21, 22))
            same(f"{name}: mode", oct(st.st_mode & 0o7777), "0o3771")
            same(f"{name}: attribute", os.getxattr(at, "user.note"), b"kept")
            same(f"{name}: time", st.st_mtime_ns, 10 ** 18)
        if with_acl:
            same("default ACL", os.getxattr(f"{at}", "system.posix_acl_default"), acl)
    server.unmount()


@probe("by reading")
def file_copy_up(box):
    """A file loses its owner, mode, time, attributes or capabilities when it is changed."""
    path = f"{box.lower}/file"
    write(path, random_bytes(50000))
    os.chown(path, 31, 32)
    os.chmod(path, 0o2750)
    os.setxattr(path, "user.note", b"kept")
    os.setxattr(path, "trusted.note", b"kept, too")
    capability = bytes.fromhex("0100000200200000" "0000000000000000" "00000000")
    os.setxattr(path, "security.capability", capability)
    os.utime(path, (10 ** 9, 10 ** 9))
    box.mount()
    os.rename(f"{box.mnt}/file", f"{box.mnt}/moved")
    moved = f"{box.mnt}/moved"
    st = os.stat(moved)
    same("owner", (st.st_uid, st.st_gid), (31, 32))
    same("mode", oct(st.st_mode & 0o7777), "0o2750")
    same("time", st.st_mtime_ns, 10 ** 18)
    for name, value in (("user.note", b"kept"), ("trusted.note", b"kept, too"), ("security.capability", capability)):
        try:
            same(name, os.getxattr(moved, name), value)
        except OSError as error:
            raise Defect(f"{name}: {error.strerror}") from error
    same("data", read(moved), read(path))


def number_kinds(box):
    for name in ("file", "dir/file"):
        write(f"{box.lower}/{name}")
    os.symlink("x", f"{box.lower}/link")

    def change():
        os.chmod(f"{box.mnt}/file", 0o600)
        os.chmod(f"{box.mnt}/dir", 0o700)
        os.chmod(f"{box.mnt}/dir/file", 0o600)
        os.lchown(f"{box.mnt}/link", 1, 1)

    def numbers():
        return {name: os.lstat(f"{box.mnt}/{name}").st_ino for name in ("file", "dir", "dir/file", "link", ".")}
    return change, numbers


@probe("#14, #177")
def number_across_copy_up(box):
    """A file gets another inode number when it is changed: tail -F, rsync and find notice."""
    change, numbers = number_kinds(box)
    box.mount()
    held = os.open(f"{box.mnt}/file", os.O_RDONLY)
    before = numbers()
    change()
    same("the numbers", numbers(), before)
    same("the number of an open file", os.fstat(held).st_ino, before["file"])
    listed = numbers_in_listing(box.mnt)
    same("the numbers in a listing", {n: listed[n] for n in ("file", "dir", "link")},
         {n: before[n] for n in ("file", "dir", "link")})


@probe("by reading")
def number_across_remount(box):
    """A changed file gets another inode number when its container starts again."""
    change, numbers = number_kinds(box)
    server = box.mount()
    before = numbers()
    change()
    write(f"{box.mnt}/dir/new")
    new = os.stat(f"{box.mnt}/dir/new").st_ino
    server = box.again(server)
    after = numbers()
    wrong = [name for name in before if before[name] != after[name]]
    if wrong:
        raise Defect("another number after mounting again: " + ", ".join(wrong))
    same("the number of a new file", os.stat(f"{box.mnt}/dir/new").st_ino, new)
    listed = numbers_in_listing(box.mnt)
    same("the numbers in a listing", {n: listed[n] for n in ("file", "dir", "link")},
         {n: before[n] for n in ("file", "dir", "link")})


def linked_file(box):
    write(f"{box.lower}/one", b"before")
    os.mkdir(f"{box.lower}/dir")
    os.link(f"{box.lower}/one", f"{box.lower}/dir/two")


@probe("by reading")
def hard_links_across_copy_up(box):
    """One of two names of a file is written to: the other name shows the old data."""
    linked_file(box)
    box.mount()
    with open(f"{box.mnt}/one", "r+b") as file:
        file.write(b"AFTER!")
    same("the other name", read(f"{box.mnt}/dir/two"), b"AFTER!")
    one, two = os.stat(f"{box.mnt}/one"), os.stat(f"{box.mnt}/dir/two")
    same("the numbers", two.st_ino, one.st_ino)
    same("the link counts", (one.st_nlink, two.st_nlink), (2, 2))


@probe("by reading")
def hard_links_across_remount(box):
    """The same after the container has started again."""
    linked_file(box)
    server = box.mount()
    with open(f"{box.mnt}/one", "r+b") as file:
        file.write(b"AFTER!")
    server = box.again(server)
    same("the other name", read(f"{box.mnt}/dir/two"), b"AFTER!")
    same("the numbers", os.stat(f"{box.mnt}/dir/two").st_ino, os.stat(f"{box.mnt}/one").st_ino)


@probe("#108")
def hard_links_consistent(box):
    """Whatever becomes of a file's names by copy-up: names with one number show one content
    and the right count, or they are files of their own."""
    linked_file(box)
    server = box.mount()
    os.stat(f"{box.mnt}/one"), os.stat(f"{box.mnt}/dir/two")
    for turn in ("written", "mounted again"):
        if turn == "written":
            with open(f"{box.mnt}/one", "r+b") as file:
                file.write(b"AFTER!")
        else:
            server = box.again(server)
        one, two = os.stat(f"{box.mnt}/one"), os.stat(f"{box.mnt}/dir/two")
        same(f"{turn}: the written file", read(f"{box.mnt}/one"), b"AFTER!")
        if (one.st_ino == two.st_ino) != (read(f"{box.mnt}/dir/two") == b"AFTER!"):
            raise Defect(f"{turn}: one inode number, two contents" if one.st_ino == two.st_ino
                         else f"{turn}: two inode numbers, one content")
        if one.st_ino == two.st_ino and one.st_nlink != two.st_nlink:
            raise Defect(f"{turn}: one file with the link counts {one.st_nlink} and {two.st_nlink}")


@probe("#108")
def new_hard_links(box):
    """Links made in the mount fall apart when one is written to, or on the next mount."""
    write(f"{box.lower}/low", b"before")
    server = box.mount()
    os.link(f"{box.mnt}/low", f"{box.mnt}/low2")
    write(f"{box.mnt}/new", b"before")
    os.link(f"{box.mnt}/new", f"{box.mnt}/new2")
    for turn in (b"one", b"two"):
        for name in ("low", "new"):
            write(f"{box.mnt}/{name}", turn)
            same(f"{name}2", read(f"{box.mnt}/{name}2"), turn)
            same(f"numbers of {name}", os.stat(f"{box.mnt}/{name}").st_ino, os.stat(f"{box.mnt}/{name}2").st_ino)
            same(f"links of {name}", os.stat(f"{box.mnt}/{name}2").st_nlink, 2)
        server = box.again(server)


@probe("#262, #182, #193")
def directory_links(box):
    """The link count of a directory is wrong, and changes when a file is added: find skips
    directories."""
    for i in range(3):
        os.makedirs(f"{box.lower}/dir/sub{i}")
    low = box.folder("low")
    os.makedirs(f"{low}/dir/sub0")
    os.makedirs(f"{low}/dir/sub9")
    box.mount(lowers=[box.lower, low])
    path = f"{box.mnt}/dir"

    def check(when):
        links = os.stat(path).st_nlink
        wanted = 2 + sum(entry.is_dir() for entry in os.scandir(path))
        # 1 says that links are not counted.
        if links not in (1, wanted):
            raise Defect(f"{when}: {links} links, {wanted - 2} subdirectories")
    check("at first")
    write(f"{path}/file")
    check("after a file was added")
    os.mkdir(f"{path}/new")
    check("after mkdir")
    os.rmdir(f"{path}/sub9")
    check("after rmdir")
    os.rename(f"{path}/new", f"{box.mnt}/away")
    check("after a directory was moved away")


@probe("by reading")
def name_length(box):
    """Names of more than 251 bytes cannot be made, or cannot be removed."""
    longest = os.statvfs(box.lower).f_namemax
    write(f"{box.lower}/{'l' * longest}", b"low")
    server = box.mount()
    same("the longest name by statfs", os.statvfs(box.mnt).f_namemax, longest)
    write(f"{box.mnt}/{'n' * longest}", b"new")
    same("the lower file", read(f"{box.mnt}/{'l' * longest}"), b"low")
    write(f"{box.mnt}/{'l' * longest}", b"changed")
    os.unlink(f"{box.mnt}/{'l' * longest}")
    same("the names", os.listdir(box.mnt), ["n" * longest])
    server = box.again(server)
    same("the names, mounted again", os.listdir(box.mnt), ["n" * longest])


@probe("#151")
def names_like_whiteouts(box):
    """A file whose name begins with .wh. makes another one vanish, now or on the next mount. To
    refuse such names is right, too; to take them and not to show them is not."""
    for name in ("x", "dir/y"):
        write(f"{box.lower}/{name}")
    server = box.mount()
    taken = {}
    for name in (".wh.x", "dir/.wh..wh..opq", ".whx", ".wh", "..wh.x", "x.wh."):
        try:
            write(f"{box.mnt}/{name}", name.encode())
            taken[name] = name
        except OSError as error:
            if not name.startswith(".wh.") and "/.wh." not in name:
                raise Defect(f"{name}: {error.strerror}") from error
    wanted = {"x": "data\n", "dir": "dir", "dir/y": "data\n"} | taken
    same("the tree", contents(box.mnt), wanted)
    server = box.again(server)
    same("the tree, mounted again", contents(box.mnt), wanted)


# --- ordinary users --------------------------------------------------------------------


@probe("#399")
def copy_of_read_only(box):
    """`cp` of a file that may only be read, by an ordinary user's mount: Permission denied, and
    an empty copy."""
    write(f"{box.lower}/low", b"foo\n", 0o400)
    os.chown(f"{box.lower}/low", USER, USER)
    box.for_user()
    box.mount(user=USER)

    def copy():
        for name in ("low", "test"):
            source = f"{box.mnt}/{name}"
            if name == "test":
                write(source, b"foo\n", 0o400)
            done = subprocess.run(["cp", source, source + "2"], capture_output=True, text=True, check=False)
            same(f"cp of {name}", (done.returncode, done.stderr), (0, ""))
            same(f"the copy of {name}", read(source + "2"), b"foo\n")
            into = os.open(source + "3", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o444)
            from_ = os.open(source, os.O_RDONLY)
            with contextlib.suppress(BlockingIOError):
                same("copy_file_range", os.copy_file_range(from_, into, 100), 4)
    as_user(copy)


@probe("#399")
def copy_between_unlinked(box):
    """copy_file_range between files that are open and have no name any more: ENOENT."""
    write(f"{box.lower}/from", b"0123456789" * 1000)
    box.mount()
    from_ = os.open(f"{box.mnt}/from", os.O_RDONLY)
    into = os.open(f"{box.mnt}/into", os.O_CREAT | os.O_RDWR)
    os.unlink(f"{box.mnt}/from")
    os.unlink(f"{box.mnt}/into")
    same("bytes", os.copy_file_range(from_, into, 10000), 10000)
    same("data", os.pread(into, 20, 0), b"01234567890123456789")


@probe("#428, #374")
def write_to_foreign_file(box):
    """An ordinary user mounts a layer of root's files as his own: new files can be made, but
    opening root's for writing gives EPERM."""
    write(f"{box.lower}/dir/file", b"root's", 0o666)
    os.chmod(f"{box.lower}/dir", 0o777)
    box.for_user()
    box.mount(f"squash_to_uid={USER},squash_to_gid={USER}", user=USER)

    def change():
        same("the owner", os.stat(f"{box.mnt}/dir/file").st_uid, USER)
        with open(f"{box.mnt}/dir/file", "r+b") as file:
            file.write(b"USER")
        same("the file", read(f"{box.mnt}/dir/file"), b"USER's")
        os.chmod(f"{box.mnt}/dir/file", 0o600)
        os.rename(f"{box.mnt}/dir/file", f"{box.mnt}/moved")
        write(f"{box.mnt}/dir/new")
    as_user(change)


@probe("#307, #377, #414, #265")
def read_only_files_of_user(box):
    """Files and directories without the right to write, in an ordinary user's mount: rm, chmod,
    mkdir -m 0555, sed -i give Permission denied."""
    for name in ("removed", "changed", "moved", "edited"):
        write(f"{box.lower}/{name}", b"text\n", 0o444)
        os.chown(f"{box.lower}/{name}", USER, USER)
    box.for_user()
    box.mount(user=USER)

    def change():
        os.unlink(f"{box.mnt}/removed")
        os.chmod(f"{box.mnt}/changed", 0o644)
        os.rename(f"{box.mnt}/moved", f"{box.mnt}/moved2")
        os.mkdir(f"{box.mnt}/dir", 0o555)
        same("the mode of the directory", oct(os.stat(f"{box.mnt}/dir").st_mode & 0o777), "0o555")
        done = subprocess.run(["sed", "-i", "s/text/TEXT/", f"{box.mnt}/edited"], capture_output=True, text=True, check=False)
        same("sed -i", (done.returncode, done.stderr), (0, ""))
        fd = os.open(f"{box.mnt}/new", os.O_CREAT | os.O_RDWR, 0o000)
        os.fchown(fd, USER, USER)
        os.fchmod(fd, 0o600)
        os.ftruncate(fd, 10)
    as_user(change)


@probe("by reading")
def removed_while_open(box):
    """A file that is open and removed cannot be truncated, changed or read any more."""
    for name in ("low", "read"):
        write(f"{box.lower}/{name}", b"0123456789")
    box.mount()
    write(f"{box.mnt}/new", b"0123456789")
    for name in ("low", "new"):
        fd = os.open(f"{box.mnt}/{name}", os.O_RDWR)
        os.unlink(f"{box.mnt}/{name}")
        os.pwrite(fd, b"X", 0)
        os.ftruncate(fd, 5)
        os.fchmod(fd, 0o640)
        os.fchown(fd, 3, 4)
        os.utime(fd, (7, 7))
        os.setxattr(fd, "user.note", b"1")
        evict(fd)
        st = os.fstat(fd)
        same(f"{name}", (os.pread(fd, 20, 0), st.st_nlink, st.st_uid, oct(st.st_mode & 0o777)), (b"X1234", 0, 3, "0o640"))
        same(f"the attribute of {name}", os.getxattr(fd, "user.note"), b"1")
    # And one that is only read.
    fd = os.open(f"{box.mnt}/read", os.O_RDONLY)
    os.unlink(f"{box.mnt}/read")
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    same("a removed file", os.read(fd, 20), b"0123456789")
    os.fchmod(fd, 0o600)
    same("its mode", oct(os.fstat(fd).st_mode & 0o777), "0o600")


@probe("by reading")
def nameless_file(box):
    """O_TMPFILE is not supported."""
    box.mount()
    os.mkdir(f"{box.mnt}/dir")
    try:
        fd = os.open(f"{box.mnt}/dir", os.O_TMPFILE | os.O_RDWR, 0o640)
    except OSError as error:
        raise Defect(f"O_TMPFILE: {error.strerror}") from error
    os.write(fd, b"text")
    same("the directory", os.listdir(f"{box.mnt}/dir"), [])
    # Python follows a link only when it has a folder to begin at.
    folder = os.open("/proc/self/fd", os.O_RDONLY)
    os.link(str(fd), f"{box.mnt}/dir/named", src_dir_fd=folder, follow_symlinks=True)
    same("the file", read(f"{box.mnt}/dir/named"), b"text")
    same("on the disk", read(f"{box.upper}/dir/named"), b"text")


@probe("#80, #82")
def locks(box):
    """Several processes lock one file: all hang, and the mount with them."""
    write(f"{box.lower}/lock", b"0")
    write(f"{box.lower}/low", b"text")
    box.mount()

    def count(kind):
        for _ in range(25):
            fd = os.open(f"{box.mnt}/lock", os.O_RDWR)
            if kind == "flock":
                fcntl.flock(fd, fcntl.LOCK_EX)
            else:
                fcntl.lockf(fd, fcntl.LOCK_EX)
            number = int(os.pread(fd, 20, 0))
            os.pwrite(fd, b"%d" % (number + 1), 0)
            os.close(fd)
    for kind in ("flock", "fcntl"):
        write(f"{box.mnt}/lock", b"0")
        pids = [background(lambda: count(kind)) for _ in range(4)]  # pylint: disable=cell-var-from-loop
        if not eventually(lambda: all(ended(pid) for pid in pids)):
            raise Defect(f"{kind} hangs")
        same(f"the count by {kind}", read(f"{box.mnt}/lock"), b"100")
    # A descriptor from before the copy-up and one from after it lock the same file.
    first = os.open(f"{box.mnt}/low", os.O_RDONLY)
    fcntl.flock(first, fcntl.LOCK_EX)
    second = os.open(f"{box.mnt}/low", os.O_RDWR)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise Defect("two have an exclusive lock of one file")
    except BlockingIOError:
        pass


# --- layers ----------------------------------------------------------------------------


def opaque(folder):
    for name in ("trusted.overlay.opaque", "user.overlay.opaque", "user.fuseoverlayfs.opaque"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"y":
                return True
    return os.path.lexists(f"{folder}/.wh..wh..opq")


def is_whiteout(path):
    st = os.lstat(path)
    return stat.S_ISCHR(st.st_mode) and st.st_rdev == 0


@probe("#306")
def whiteout_in_opaque(box):
    """A layer that was written here is damaged in the eyes of the kernel's overlayfs: a
    whiteout in an opaque directory."""
    os.makedirs(f"{box.lower}/a/b")
    write(f"{box.lower}/a/f")
    server = box.mount()
    shutil.rmtree(f"{box.mnt}/a")
    os.makedirs(f"{box.mnt}/a/b")
    write(f"{box.mnt}/a/f")
    os.rename(f"{box.mnt}/a/b", f"{box.mnt}/b")
    os.unlink(f"{box.mnt}/a/f")
    server.unmount()
    for folder, _, files in os.walk(box.upper):
        if opaque(folder):
            for name in files:
                if is_whiteout(f"{folder}/{name}"):
                    raise Defect(f"a whiteout {name} in the opaque directory /{os.path.relpath(folder, box.upper)}")


@probe("#306")
def layer_for_the_kernel(box):
    """The kernel's overlayfs shows a layer that was written here with other names, such as
    .wh..wh..opq, and refuses to show some."""
    for name in ("a/b/c", "gone", "again/old", "keep"):
        write(f"{box.lower}/{name}")
    server = box.mount()
    os.unlink(f"{box.mnt}/gone")
    shutil.rmtree(f"{box.mnt}/again")
    write(f"{box.mnt}/again/new")
    shutil.rmtree(f"{box.mnt}/a/b")
    os.mkdir(f"{box.mnt}/a/b")
    os.mkdir(f"{box.mnt}/fresh")
    wanted = contents(box.mnt)
    server.unmount()
    try:
        mount("overlay", box.mnt, "overlay", 0, box.options())
    except OSError as error:
        raise Skip(f"kernel overlayfs: {error}") from error
    same("the kernel's view", contents(box.mnt), wanted)


@probe("by reading")
def rename_over_whiteouts(box):
    """What was removed and then covered by a rename comes back later."""
    for name in ("x", "y", "dir/old", "other/old", "z"):
        write(f"{box.lower}/{name}", b"low " + name.encode())
    server = box.mount()
    os.unlink(f"{box.mnt}/x")
    os.rename(f"{box.mnt}/y", f"{box.mnt}/x")
    shutil.rmtree(f"{box.mnt}/dir")
    write(f"{box.mnt}/made/new", b"new")
    os.rename(f"{box.mnt}/made", f"{box.mnt}/dir")
    shutil.rmtree(f"{box.mnt}/other")
    os.mkdir(f"{box.mnt}/other")
    os.unlink(f"{box.mnt}/z")
    os.mkdir(f"{box.mnt}/z")
    wanted = {"x": "low y", "dir": "dir", "dir/new": "new", "other": "dir", "z": "dir"}
    same("the tree", contents(box.mnt), wanted)
    server = box.again(server)
    same("the tree, mounted again", contents(box.mnt), wanted)
    os.unlink(f"{box.mnt}/x")
    os.rmdir(f"{box.mnt}/other")
    os.rmdir(f"{box.mnt}/z")
    shutil.rmtree(f"{box.mnt}/dir")
    same("the tree, all removed", contents(box.mnt), {})
    server = box.again(server)
    same("the tree, all removed and mounted again", contents(box.mnt), {})


@probe("by reading")
def rename_flags(box):
    """RENAME_EXCHANGE or RENAME_NOREPLACE of files of the image do something else."""
    for name in ("a", "b", "c"):
        write(f"{box.lower}/{name}", name.encode())
    server = box.mount()
    rename_with(f"{box.mnt}/a", f"{box.mnt}/b", RENAME_EXCHANGE)
    try:
        rename_with(f"{box.mnt}/a", f"{box.mnt}/c", RENAME_NOREPLACE)
        raise Defect("RENAME_NOREPLACE replaces")
    except FileExistsError:
        pass
    for _ in range(2):
        same("the tree", contents(box.mnt), {"a": "b", "b": "a", "c": "c"})
        server = box.again(server)


@probe("#425")
def opaque_deep(box):
    """A directory is marked as opaque; what is below it still shows the lower layer's files."""
    high = box.folder("high")
    for kind in ("file", "attribute"):
        write(f"{box.lower}/{kind}/tools/cache/low")
        write(f"{high}/{kind}/tools/cache/high")
    write(f"{high}/file/tools/.wh..wh..opq", b"")
    os.setxattr(f"{high}/attribute/tools", "trusted.overlay.opaque", b"y")
    box.mount(lowers=[high, box.lower])
    for kind in ("file", "attribute"):
        os.listdir(f"{box.mnt}/{kind}")
        same(f"opaque by {kind}", os.listdir(f"{box.mnt}/{kind}/tools"), ["cache"])
        same(f"below what is opaque by {kind}", os.listdir(f"{box.mnt}/{kind}/tools/cache"), ["high"])


@probe("#151")
def whiteouts_of_images(box):
    """A whiteout of an image layer (.wh.NAME, or a device 0/0) hides nothing, too much, or is
    itself shown."""
    high = box.folder("high")
    for name in ("test", "dir/test", "other", "dir/other", "full/old"):
        write(f"{box.lower}/{name}")
    write(f"{high}/.wh.test", b"")
    os.mknod(f"{high}/other", stat.S_IFCHR, 0)
    write(f"{high}/full/new")
    write(f"{high}/full/.wh..wh..opq", b"")
    server = box.mount(lowers=[high, box.lower])
    for turn in ("first", "changed", "mounted again"):
        if turn == "changed":
            write(f"{box.mnt}/dir/more")
        if turn == "mounted again":
            server = box.again(server, lowers=[high, box.lower])
        same(f"{turn}: the root", sorted(os.listdir(box.mnt)), ["dir", "full"])
        same(f"{turn}: dir", sorted(os.listdir(f"{box.mnt}/dir")), ["more", "other", "test"] if turn != "first" else ["other", "test"])
        same(f"{turn}: full", os.listdir(f"{box.mnt}/full"), ["new"])
        for name in ("test", "other", ".wh.test", "full/old", "full/.wh..wh..opq"):
            if os.path.lexists(f"{box.mnt}/{name}"):
                raise Defect(f"{turn}: {name} exists")


@probe("#190, #298, #320, #275")
def lower_changes(box):
    """With timeout=0, what was changed in a layer from outside is never seen."""
    write(f"{box.lower}/dir/file", b"before")
    write(f"{box.lower}/dir/removed")
    write(f"{box.lower}/dir/hidden", b"low")
    write(f"{box.upper}/dir/hidden", b"up")
    server = box.mount("timeout=0")
    root = f"{box.mnt}/dir"
    same("the listing", sorted(os.listdir(root)), ["file", "hidden", "removed"])
    same("the file", read(f"{root}/file"), b"before")
    if os.path.exists(f"{root}/added"):
        raise Defect("there is a file that nobody made")
    write(f"{box.lower}/dir/file", b"AFTER and longer")
    write(f"{box.lower}/dir/added", b"added")
    os.unlink(f"{box.lower}/dir/removed")
    write(f"{box.lower}/top", b"top")
    same("a changed file's size", os.stat(f"{root}/file").st_size, 16)
    same("a changed file", read(f"{root}/file"), b"AFTER and longer")
    same("an added file", read(f"{root}/added"), b"added")
    if os.path.exists(f"{root}/removed"):
        raise Defect("a removed file is still there")
    same("the listing, changed", sorted(os.listdir(root)), ["added", "file", "hidden"])
    same("the root, changed", sorted(os.listdir(box.mnt)), ["dir", "top"])
    write(f"{box.lower}/dir/other", b"new one")
    os.rename(f"{box.lower}/dir/other", f"{box.lower}/dir/file")
    same("a replaced file", read(f"{root}/file"), b"new one")
    os.unlink(f"{box.upper}/dir/hidden")
    same("a file that the upper layer has no more", read(f"{root}/hidden"), b"low")
    server.unmount()


def over_layer(box, point, lowers, upper=None, prepare=None):
    """Mounts on a layer: refused, or everything works, but nothing hangs."""
    try:
        server = within(HANGS, lambda: mount_apart(box, point, lowers, upper), "mounting")
    except OSError as error:
        if not str(error):
            raise Defect("refused without a word") from error
        return

    def use():
        names = sorted(os.listdir(point))
        for name in names:
            os.lstat(f"{point}/{name}")
        if "a" not in names or "b" not in names:
            raise Defect(f"the union holds {names}")
        same("a file", read(f"{point}/a"), b"data\n")
        write(f"{point}/new", b"new")
        same("the new file", read(f"{point}/new"), b"new")
        os.chmod(f"{point}/b", 0o600)
        os.unlink(f"{point}/a")
        if os.path.exists(f"{point}/a"):
            raise Defect("a removed file is still there")
        os.rename(f"{point}/new", f"{point}/moved")
        same("the union", sorted(n for n in os.listdir(point) if n in ("a", "b", "moved")), ["b", "moved"])
        for folder, folders, _ in os.walk(point):
            if folder.count("/") > point.count("/") + 8:
                raise Defect("the mount holds itself, and so on without end")
            folders.sort()
    if prepare:
        within(HANGS, prepare, "a mount on the layer")
    within(HANGS, use, "using the mount")
    for at, kind in mounts_below(box.base):
        if kind.startswith("fuse"):
            within(HANGS, lambda at=at: unmount(at, MNT_DETACH), "umount")
    if not eventually(lambda: not os.path.exists(f"/proc/{server}") or zombie(server)):
        raise Defect("the server does not end after umount")


def zombie(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
    return True


def mount_apart(box, point, lowers, upper):
    try:
        return box.mount(point=point, lowers=lowers, upper=upper).pid
    except Refused as refused:
        raise OSError(errno.EINVAL, str(refused)) from refused


@probe("#344, #318")
def mount_on_lower(box):
    """The mount point is one of the lower layers: everything hangs until the next boot."""
    write(f"{box.lower}/a")
    low = box.folder("low")
    write(f"{low}/b")
    over_layer(box, box.lower, [box.lower, low])


@probe("#393")
def mount_on_upper(box):
    """The mount point is the upper layer: listings differ from what can be opened."""
    write(f"{box.lower}/a")
    write(f"{box.lower}/b")
    over_layer(box, box.upper, [box.lower])


@probe("#364, #198")
def mount_above_lower(box):
    """A lower layer lies below the mount point: the server hangs and cannot be killed."""
    lower = box.folder("mnt/inner")
    write(f"{lower}/a")
    write(f"{lower}/b")
    over_layer(box, box.mnt, [lower])


@probe("#364")
def mount_above_all_layers(box):
    """All layers lie below the mount point."""
    lower, upper, box.work = box.folder("mnt/inner"), box.folder("mnt/up"), box.folder("mnt/work")
    write(f"{lower}/a")
    write(f"{lower}/b")
    over_layer(box, box.mnt, [lower], upper)


@probe("#382, #198")
def mount_inside_lower(box):
    """The mount point lies in a lower layer: find never ends."""
    write(f"{box.lower}/a")
    write(f"{box.lower}/b")
    over_layer(box, box.folder("lower/inner"), [box.lower])


@probe("#277")
def mount_bound_over_lower(box):
    """The mount is bound over its own lower layer, as `podman --rootfs` and others do: listing
    it hangs."""
    write(f"{box.lower}/a")
    write(f"{box.lower}/b")
    over_layer(box, box.mnt, [box.lower], prepare=lambda: (mount(box.mnt, box.lower, None, MS_BIND), None)[1])


def without_attributes(box, more):
    lower = box.file_system("ramfs", "plain")
    for name in ("file", "dir/inner", "dir/sub/deep", "gone"):
        write(f"{lower}/{name}", name.encode())
    os.symlink("file", f"{lower}/link")
    with contextlib.suppress(OSError):
        os.setxattr(f"{lower}/file", "user.note", b"1")
        raise Skip("ramfs has attributes here")
    server = box.mount(more, lowers=[lower])
    done = subprocess.run(["ls", "-lR", box.mnt], capture_output=True, text=True, check=False, timeout=HANGS)
    same("ls -l", (done.returncode, done.stderr), (0, ""))
    if "+" in done.stdout.split("\n")[1]:
        raise Defect("ls shows ACLs where there are none")
    for name in ("user.note", "system.posix_acl_access", "security.capability"):
        try:
            os.getxattr(f"{box.mnt}/file", name)
            raise Defect(f"{name} where there are no attributes")
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.EOPNOTSUPP):
                raise Defect(f"getxattr {name}: {error.strerror}") from error
    try:
        same("listxattr", os.listxattr(f"{box.mnt}/file"), [])
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
    for command in (["cp", "-p", f"{box.mnt}/file", f"{box.mnt}/copy"], ["cp", "-a", f"{box.mnt}/dir", f"{box.mnt}/copies"],
                    ["touch", f"{box.mnt}/file"], ["chown", "-hR", "3:4", box.mnt], ["mv", f"{box.mnt}/link", f"{box.mnt}/link2"],
                    ["sh", "-c", f"echo more >>{box.mnt}/dir/inner"], ["rm", f"{box.mnt}/gone"],
                    ["mkdir", f"{box.mnt}/gone"], ["chmod", "700", f"{box.mnt}/dir/sub"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGS)
        same(" ".join(command[:1]), (done.returncode, done.stderr), (0, ""))
    same("a file", read(f"{box.mnt}/dir/inner"), b"dir/innermore\n")
    same("the root", sorted(os.listdir(box.mnt)), ["copies", "copy", "dir", "file", "gone", "link2"])
    server.unmount()


@probe("#336, #479")
def lower_without_attributes(box):
    """A lower layer without extended attributes, such as SMB or NFS: Operation not supported."""
    without_attributes(box, "")


@probe("#479")
def lower_without_attributes_bare(box):
    """The same with the option noxattrs, that the documentation does not have: unknown."""
    without_attributes(box, "noxattrs")


@probe("#479")
def lower_without_attributes_1(box):
    """The same with noxattrs=1."""
    without_attributes(box, "noxattrs=1")


@probe("#479")
def noxattrs(box):
    """`noxattrs` is not understood, only `noxattrs=1`: attributes are shown all the same."""
    write(f"{box.lower}/file")
    os.setxattr(f"{box.lower}/file", "user.note", b"1")
    for option in ("noxattrs=1", "noxattrs"):
        server = box.mount(option)
        try:
            os.getxattr(f"{box.mnt}/file", "user.note")
            raise Defect(f"{option}: an attribute is shown")
        except OSError as error:
            same(f"{option}: getxattr", error.strerror, os.strerror(errno.EOPNOTSUPP))
        server.unmount()


@probe("#141, podman#8521")
def upper_without_attributes(box):
    """An upper layer without extended attributes, such as NFS: a removed directory that is made
    again shows its old content. A mount that is refused with a reason is right, too."""
    folder = box.file_system("ramfs", "plain")
    for name in ("upper", "work"):
        os.mkdir(f"{folder}/{name}")
    write(f"{box.lower}/dir/old")
    write(f"{box.lower}/gone")
    layers = {"upper": f"{folder}/upper", "work": f"{folder}/work"}
    try:
        server = box.mount(**layers)
    except Refused as refused:
        return None if str(refused) else "refused without a word"
    shutil.rmtree(f"{box.mnt}/dir")
    os.mkdir(f"{box.mnt}/dir")
    os.unlink(f"{box.mnt}/gone")
    same("the directory made again", os.listdir(f"{box.mnt}/dir"), [])
    server = box.again(server, **layers)
    same("the root, mounted again", os.listdir(box.mnt), ["dir"])
    same("the directory, mounted again", os.listdir(f"{box.mnt}/dir"), [])
    return None


# --- the life of the server ------------------------------------------------------------


@probe("by reading", tries=2)
def leftovers_of_a_crash(box):
    """The server was killed in the middle of copy-ups: the next mount fails, or copies into
    what the first one has left."""
    def fill(folder):
        for i in range(3):
            write(f"{folder}/slow/f{i}", b"slow %d" % i * 200000)
    below, point = box.frozen_layer(fill)
    server = box.mount(lowers=[box.lower, point])
    for entry in os.scandir(f"{box.mnt}/slow"):
        entry.stat()
    below.stop()
    pid = background(lambda: os.close(os.open(f"{box.mnt}/slow/f0", os.O_RDWR)))
    time.sleep(0.3)
    server.kill()
    below.go_on()
    eventually(lambda: ended(pid))
    # As other programs leave them, by their names.
    left = f"{box.work}/work" if os.path.isdir(f"{box.work}/work") else box.work
    for name in ("0", "1", "2", "3", "10", "#1", "#2", "#3"):
        if not os.path.lexists(f"{left}/{name}"):
            write(f"{left}/{name}", b"LEFTOVER" * 5000)
        os.makedirs(f"{left}/dir{name}/inner")
    for turn in ("once", "twice"):
        server = box.mount(lowers=[box.lower, point])
        for i in range(3):
            with open(f"{box.mnt}/slow/f{i}", "ab") as file:
                file.write(b"+")
            same(f"{turn}: f{i}", read(f"{box.mnt}/slow/f{i}").rstrip(b"+"), b"slow %d" % i * 200000)
        write(f"{box.mnt}/new-{turn}")
        server.unmount()
    size = sum(os.path.getsize(f"{folder}/{name}") for folder, _, files in os.walk(box.work) for name in files)
    if size > 100000:
        raise Defect(f"{size // 1024} KiB of leftovers stay in the work directory for ever")


@probe("#169, containers/storage#1654")
def orphan_server(box):
    """The mount is gone and its server is not; or the one who mounted waits for the server to
    close its output."""
    write(f"{box.lower}/file")
    for way in ("umount", "umount -l with a file open", "SIGTERM"):
        before = set(children())
        done = subprocess.run([box.program, "-o", box.options(), box.mnt], capture_output=True, text=True, check=False, timeout=HANGS)
        same(f"{way}: the exit code of mounting", done.returncode, 0)
        new = [pid for pid in children() if pid not in before]
        with open(f"{box.base}/servers", "a", encoding="ascii") as servers:
            for pid in new:
                print(pid, file=servers)
        same(f"{way}: servers", len(new), 1)
        same(f"{way}: a file", read(f"{box.mnt}/file"), b"data\n")
        server = Server(new[0], box.mnt)
        if way == "SIGTERM":
            os.kill(server.pid, signal.SIGTERM)
            if not eventually(lambda: not mounts_below(box.mnt)):
                raise Defect("SIGTERM does not unmount")
        elif way == "umount":
            unmount(box.mnt)
        else:
            fd = os.open(f"{box.mnt}/file", os.O_RDONLY)
            unmount(box.mnt, MNT_DETACH)
            same("a file that is still open", os.read(fd, 10), b"data\n")
            os.close(fd)
        if not eventually(lambda server=server: not server.alive()):
            raise Defect(f"{way}: the server stays")


def children():
    """Our own children, adopted ones among them."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
                if int(fields[1]) == os.getpid() and fields[0] not in "ZX":
                    found.append(int(name))
    return found


@probe("#169")
def killed_server(box):
    """The server was killed: whoever used the mount hangs."""
    for i in range(5):
        write(f"{box.lower}/f{i}", b"x" * 100000)
    server = box.mount()
    fd = os.open(f"{box.mnt}/f0", os.O_RDONLY)
    # By the path there may be nothing mounted any more; who is inside stays inside.
    inside = os.open(box.mnt, os.O_PATH | os.O_DIRECTORY)
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()

    def use(action):
        try:
            action()
        except OSError as error:
            return errno.errorcode[error.errno]
        return "no error"
    answers = {
        "stat": within(HANGS, lambda: use(lambda: os.stat("f1", dir_fd=inside)), "stat"),
        "read": within(HANGS, lambda: use(lambda: os.pread(fd, 10, 50000)), "read"),
        "create": within(HANGS, lambda: use(lambda: os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=inside)), "create"),
    }
    same("the error of stat", answers["stat"], "ENOTCONN")
    same("the error of creating", answers["create"], "ENOTCONN")
    with contextlib.suppress(OSError):
        os.close(fd)
    os.close(inside)
    server.kill()
    server = box.mount()
    same("mounted again", len(os.listdir(box.mnt)), 5)
    server.unmount()


@probe("by reading")
def readdir_while_removing(box):
    """`rm -r` of a big directory skips entries, because others are removed while it lists."""
    for i in range(3000):
        write(f"{box.lower}/big/f{i:05}", b"")
    box.mount()
    for i in range(3000, 4000):
        write(f"{box.mnt}/big/f{i:05}", b"")
    seen = []
    with os.scandir(f"{box.mnt}/big") as entries:
        for entry in entries:
            seen.append(entry.name)
            os.unlink(entry.path)
    same("names seen", len(seen), 4000)
    same("names left", os.listdir(f"{box.mnt}/big"), [])
    os.rmdir(f"{box.mnt}/big")


@probe("by reading")
def sockets_and_fifos(box):
    """A socket or fifo of the image cannot be used, or changes its kind by copy-up."""
    os.mkfifo(f"{box.lower}/fifo", 0o644)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(f"{box.lower}/socket")
    box.mount()
    for name in ("fifo", "socket"):
        kind = stat.S_IFMT(os.stat(f"{box.lower}/{name}").st_mode)
        os.chmod(f"{box.mnt}/{name}", 0o600)
        same(f"the kind of {name}", stat.S_IFMT(os.stat(f"{box.mnt}/{name}").st_mode), kind)
        os.rename(f"{box.mnt}/{name}", f"{box.mnt}/{name}2")
        same(f"the kind of {name}, renamed", stat.S_IFMT(os.stat(f"{box.mnt}/{name}2").st_mode), kind)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(f"{box.mnt}/listen")
        server.listen()
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(f"{box.mnt}/listen")


# --- the program -----------------------------------------------------------------------


def run_probe(function, program, folder):
    """(verdict, text)."""
    for _ in range(function.tries):
        verdict, text = try_probe(function, program, folder)
        if verdict != "DEFECT":
            break
    return verdict, text


def try_probe(function, program, folder):
    """(verdict, text); whatever it leaves is taken away."""
    base = tempfile.mkdtemp(prefix=function.__name__ + ".", dir=folder)
    os.chmod(base, 0o755)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        # What it binds over /dev/fuse ends with it.
        LIBC.unshare(0x00020000)
        try:
            text = function(Box(base, program))
            result = ("ok", "") if text is None else ("DEFECT", text)
        except Skip as skipped:
            result = ("skip", str(skipped))
        except Refused as refused:
            result = ("DEFECT", f"does not mount: {refused}")
        except Defect as defect:
            result = ("DEFECT", str(defect))
        except Exception as error:  # pylint: disable=broad-except
            line = error.__traceback__
            while line.tb_next and line.tb_next.tb_frame.f_code.co_filename == __file__:
                line = line.tb_next
            result = ("DEFECT", f"{type(error).__name__}: {error} (line {line.tb_lineno})".replace(base, ""))
        os.write(writer, json.dumps([result[0], result[1].replace(base, "")[:400]]).encode())
        tidy(base)
        os._exit(0)
    os.close(writer)
    os.set_blocking(reader, False)
    answer = b""

    def over():
        nonlocal answer
        with contextlib.suppress(BlockingIOError):
            answer += os.read(reader, 1 << 16)
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    finished = False
    try:
        finished = eventually(over, function.seconds)
    finally:
        if not finished:
            cut(pid, base)
    with contextlib.suppress(BlockingIOError):
        answer += os.read(reader, 1 << 16)
    os.close(reader)
    tidy(base)
    for process in session(pid):
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(base, ignore_errors=True)
    if not answer:
        return "DEFECT", f"hangs for more than {function.seconds} s"
    verdict, text = json.loads(answer)
    return verdict, " ".join(text.split())


def session(leader):
    """The processes of a session."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                if int(file.read().rsplit(")", 1)[1].split()[3]) == leader:
                    found.append(int(name))
    return found


def cut(pid, base):
    """Ends a probe that hangs. Its mounts are in a namespace of its own, where somebody must
    cut the connection of a server that waits for itself."""
    for process in [*servers_of(base), *session(pid)]:
        if process != pid:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
    helper = os.fork()
    if helper == 0:
        with contextlib.suppress(OSError):
            fd = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
            LIBC.setns(fd, 0)
            tidy(base)
        os._exit(0)
    eventually(lambda: ended(helper), 15)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: ended(pid), 15)


def version(program):
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    match = re.search(r"(?:fuse-overlayfs: version|nacre-fs) (\S+)", done.stdout + done.stderr)
    return match[1] if match else ""


def print_table(programs, folder):
    names = [f"{os.path.basename(p)} {version(p)}".strip() for p in programs]
    print("| probe | issue | " + " | ".join(f"{name} shows it" for name in names) + " |")
    print("|---|---|" + "---|" * len(names))
    words = {"ok": "no", "DEFECT": "yes", "skip": "not tried"}
    for name, function in PROBES.items():
        verdicts = [words[run_probe(function, program, folder)[0]] for program in programs]
        print(f"| {name} | {function.issue} | " + " | ".join(verdicts) + " |", flush=True)


def main():
    arguments = sys.argv[1:]
    table = arguments[:1] == ["--table"]
    if arguments[:1] == ["--list"]:
        for name, function in PROBES.items():
            print(f"{name} ({function.issue})\n    {' '.join(function.__doc__.split())}")
        return 0
    if table:
        arguments.pop(0)
    if not arguments or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    programs = arguments if table else arguments[:1]
    programs = [shutil.which(program) or sys.exit(f"no program {program}") for program in programs]
    chosen = PROBES if table or not arguments[1:] else {name: PROBES[name] for name in arguments[1:]}
    if os.geteuid() != 0:
        sys.exit("needs root")
    LIBC.unshare(0x00020000)  # CLONE_NEWNS
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="complaints.")
    os.chmod(folder, 0o755)
    defects = 0
    try:
        # In memory, where attributes of users exist, because small trials are slow on a disk.
        mount("none", folder, "tmpfs", 0, "mode=755")
        if table:
            print_table(programs, folder)
            return 0
        for name, function in chosen.items():
            begun = time.monotonic()
            verdict, text = run_probe(function, programs[0], folder)
            if os.environ.get("COMPLAINTS_TIMES"):
                text += f" [{time.monotonic() - begun:.1f} s]"
            defects += verdict == "DEFECT"
            print(f"{verdict} {name}" + (f": {text}" if text else ""), flush=True)
    finally:
        with contextlib.suppress(OSError):
            unmount(folder, MNT_DETACH)
        with contextlib.suppress(OSError):
            os.rmdir(folder)
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
