#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fs_faults.py kill|ERRNO…: every operation of nacre-fs is stopped at each of the system calls
that change something: by SIGKILL, or by an error that the call yields. Afterwards the tree is
the one before or the one after the operation, never a third, for the same mount and for the
next one. strace(1) does the stopping."""

import collections
import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import fs_fuzz

CHANGING = ("mknodat,mkdirat,symlinkat,linkat,renameat2,unlinkat,fchmodat,chmod,fchownat,setxattr,removexattr,"
            "utimensat,truncate,ftruncate,copy_file_range,pwrite64,fsync")


def write(path, data=b"data"):
    with open(path, "wb") as file:
        file.write(data)


def build(lower):
    """The layer below: names say what they are for."""
    for name in ("dir/sub", "gone/inner", "again/old", "target", "empty", "merged"):
        os.makedirs(f"{lower}/{name}")
    for name in ("file", "other", "removed", "dir/inner", "dir/sub/deep", "again/old/x", "merged/low", "over"):
        write(f"{lower}/{name}", os.urandom(70000))
    os.chown(f"{lower}/file", 5, 6)
    os.chmod(f"{lower}/file", 0o4750)
    os.setxattr(f"{lower}/file", "user.note", b"kept")
    os.symlink("file", f"{lower}/link")
    write(f"{lower}/twin", os.urandom(70000))
    os.link(f"{lower}/twin", f"{lower}/dir/twin")
    os.link(f"{lower}/twin", f"{lower}/merged/twin")


def prepare(root):
    """What was done to it before."""
    os.unlink(f"{root}/removed")
    shutil.rmtree(f"{root}/again")
    write(f"{root}/made")
    os.mkdir(f"{root}/fresh")
    write(f"{root}/fresh/x")
    write(f"{root}/merged/up")
    os.unlink(f"{root}/merged/low")
    os.unlink(f"{root}/merged/up")
    os.unlink(f"{root}/merged/twin")
    os.mkdir(f"{root}/way")
    os.mkdir(f"{root}/inplace")


def renameat2(root, one, other, flags):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(-100, f"{root}/{one}".encode(), -100, f"{root}/{other}".encode(), flags) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def open_for_writing(root):
    os.close(os.open(f"{root}/file", os.O_WRONLY))


def link_nameless(root):
    fd = os.open(root, os.O_TMPFILE | os.O_RDWR, 0o600)
    try:
        # Python follows a link only when it has a folder to begin at.
        os.link(str(fd), f"{root}/dir/linked", src_dir_fd=os.open("/proc/self/fd", os.O_RDONLY), follow_symlinks=True)
    finally:
        os.close(fd)


OPERATIONS = {
    "copy-up by opening": open_for_writing,
    "copy-up in a directory of a lower layer": lambda r: os.close(os.open(f"{r}/dir/sub/deep", os.O_WRONLY)),
    "copy-up by chmod": lambda r: os.chmod(f"{r}/file", 0o600),
    "chown of a symlink": lambda r: os.chown(f"{r}/link", 7, 8, follow_symlinks=False),
    "setxattr": lambda r: os.setxattr(f"{r}/file", "user.more", b"1"),
    "truncation while opening": lambda r: os.close(os.open(f"{r}/file", os.O_WRONLY | os.O_TRUNC)),
    "unlink of a lower file": lambda r: os.unlink(f"{r}/file"),
    "unlink of an upper file": lambda r: os.unlink(f"{r}/made"),
    "unlink of a copied file": lambda r: os.unlink(f"{r}/merged/low") if os.path.exists(f"{r}/merged/low") else os.unlink(f"{r}/over"),
    "rmdir of a lower directory": lambda r: os.rmdir(f"{r}/empty"),
    "rmdir of a directory of whiteouts": lambda r: os.rmdir(f"{r}/merged"),
    "mkdir": lambda r: os.mkdir(f"{r}/dir/new", 0o2775),
    "mkdir over a whiteout": lambda r: os.mkdir(f"{r}/again"),
    "create": lambda r: os.close(os.open(f"{r}/dir/new", os.O_CREAT | os.O_WRONLY, 0o4755)),
    "create over a whiteout": lambda r: os.close(os.open(f"{r}/removed", os.O_CREAT | os.O_WRONLY, 0o644)),
    "symlink over a whiteout": lambda r: os.symlink("x", f"{r}/removed"),
    "link of a lower file": lambda r: os.link(f"{r}/file", f"{r}/dir/hard"),
    "link over a whiteout": lambda r: os.link(f"{r}/made", f"{r}/removed"),
    "link of a nameless file": link_nameless,
    "rename of a lower file": lambda r: os.rename(f"{r}/file", f"{r}/dir/moved"),
    "rename over a lower file": lambda r: os.rename(f"{r}/made", f"{r}/other"),
    "rename over a whiteout": lambda r: os.rename(f"{r}/file", f"{r}/removed"),
    "rename of a directory": lambda r: os.rename(f"{r}/fresh", f"{r}/dir/fresh"),
    "rename of a directory over a whiteout": lambda r: os.rename(f"{r}/fresh", f"{r}/again"),
    "rename of a directory over one of whiteouts": lambda r: os.rename(f"{r}/fresh", f"{r}/merged"),
    "rename of a directory over a lower one": lambda r: os.rename(f"{r}/fresh", f"{r}/empty"),
    "copy-up of one of several names": lambda r: os.chown(f"{r}/dir/twin", 8, 9),
    "unlink of one of several names": lambda r: os.unlink(f"{r}/twin"),
    "rename of one of several names": lambda r: os.rename(f"{r}/dir/twin", f"{r}/moved"),
    "rename over one of several names": lambda r: os.rename(f"{r}/made", f"{r}/twin"),
    "one more name": lambda r: os.link(f"{r}/twin", f"{r}/third"),
    "exchange": lambda r: renameat2(r, "file", "made", 2),
    "exchange of directories": lambda r: renameat2(r, "fresh", "way", 2),
}


# With redirect_dir and metacopy: what is not so without them.
AFAR = {
    "rename of a lower directory": lambda r: os.rename(f"{r}/dir", f"{r}/moved"),
    "rename of a lower directory over a whiteout": lambda r: os.rename(f"{r}/dir", f"{r}/removed"),
    "rename of a lower directory over an empty one": lambda r: os.rename(f"{r}/dir", f"{r}/empty"),
    "exchange of lower directories": lambda r: renameat2(r, "dir", "empty", 2),
    "copy-up without data": lambda r: os.chmod(f"{r}/file", 0o600),
    "rename without data": lambda r: os.rename(f"{r}/file", f"{r}/dir/moved"),
    "link without data": lambda r: os.link(f"{r}/file", f"{r}/dir/hard"),
    "data that was left below": lambda r: os.close(os.open(f"{r}/bare", os.O_WRONLY)),
    "truncation of data that was left below": lambda r: os.truncate(f"{r}/bare", 1000),
}


def mounted(path):
    """Without asking the file system there, which may be dead."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        return path in mounts.read().split()


class Box:
    """Layers and a mount of them, brought back to the same state before each trial."""

    def __init__(self, base, options=""):
        self.base, self.root, self.more = base, f"{base}/merged", options
        for part in ("lower", "upper", "work", "merged"):
            os.makedirs(f"{base}/{part}")
        build(f"{base}/lower")
        write(f"{base}/lower/bare", os.urandom(50000))
        self.mount()
        prepare(self.root)
        os.chmod(f"{self.root}/bare", 0o640)
        self.unmount()
        # Together, because files of the upper have names in the index of the work directory.
        os.mkdir(f"{base}/template")
        subprocess.run(["cp", "-a", f"{base}/upper", f"{base}/work", f"{base}/template"], check=True)

    def reset(self):
        shutil.rmtree(f"{self.base}/upper")
        shutil.rmtree(f"{self.base}/work")
        subprocess.run(["cp", "-a", f"{self.base}/template/upper", f"{self.base}/template/work", self.base], check=True)

    def mount(self):
        options = f"lowerdir={self.base}/lower,upperdir={self.base}/upper,workdir={self.base}/work,threads=1{self.more}"
        self.server = subprocess.Popen(["nacre-fs", "-f", "-o", options, self.root], stderr=subprocess.DEVNULL)
        for _ in range(1000):
            if mounted(self.root):
                os.statvfs(self.root)  # answered only when all preparations are done
                return
            time.sleep(0.002)
        sys.exit("nacre-fs does not mount")

    def unmount(self):
        # A server that was killed has left no mount behind.
        subprocess.run(["umount", "-l", self.root], check=self.server.poll() is None, stderr=subprocess.DEVNULL)
        self.server.wait()
        while mounted(self.root):
            time.sleep(0.002)

    def snapshot(self):
        return fs_fuzz.snapshot(self.root, times=False)

    def leftovers(self):
        return os.listdir(f"{self.base}/work/work")


class Tracer:
    """strace on the server: lists the calls that change something, or interferes with one."""

    def __init__(self, pid, *expressions, log="/dev/null"):
        self.pid = pid
        command = ["strace", "-f", "-qq", "-o", log, "-p", str(pid)]
        for expression in expressions:
            command += ["-e", expression]
        self.strace = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2000):
            if all(self.traced(thread) for thread in os.listdir(f"/proc/{pid}/task")):
                return
            time.sleep(0.002)
        sys.exit("strace does not attach")

    def traced(self, thread):
        with open(f"/proc/{self.pid}/task/{thread}/status", encoding="ascii") as status:
            return "\nTracerPid:\t0\n" not in status.read()

    def detach(self):
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait()


def attempt(act, root):
    try:
        act(root)
        return None
    except OSError as error:
        return error.errno


def steps_of(box, act):
    """The calls that change something while `act` runs, each with its number among its like."""
    box.reset()
    box.mount()
    tracer = Tracer(box.server.pid, f"trace={CHANGING}", log=f"{box.base}/trace")
    if (result := attempt(act, box.root)) is not None:
        sys.exit(f"{act}: {errno.errorcode[result]}")
    tracer.detach()
    box.unmount()
    steps, seen = [], collections.Counter()
    with open(f"{box.base}/trace", encoding="utf-8") as lines:
        for line in lines:
            if found := re.match(r"\d+ +(\w+)\(", line):
                seen[found[1]] += 1
                steps.append((found[1], seen[found[1]]))
    return steps


def judge(what, found, allowed):
    if found in allowed.values():
        return
    lines = []
    for name, wanted in allowed.items():
        lines += fs_fuzz.differences(wanted, found, [name, "found"])
    sys.exit(f"{what}: another state than {' and '.join(allowed)}:\n" + "\n".join(lines))


def killed(box, act, tracer):
    """Whether the server was killed while `act` ran. On a busy machine strace has been seen to miss a call."""
    if attempt(act, box.root) is None:
        tracer.detach()
        box.unmount()
        return False
    tracer.strace.wait()
    return True


def trial(box, name, act, trees, step, kind):
    call, number = step
    what = f"{name}: {kind} at {call} {number}"
    effect = "signal=KILL" if kind == "kill" else f"error={kind}"
    for _ in range(3):
        box.reset()
        box.mount()
        tracer = Tracer(box.server.pid, f"trace={call}", f"inject={call}:{effect}:when={number}")
        if kind != "kill" or killed(box, act, tracer):
            break
    else:
        sys.exit(f"{what}: the server was not killed")
    if kind != "kill":
        result = attempt(act, box.root)
        tracer.detach()
        if result is not None and errno.errorcode[result] != kind:
            sys.exit(f"{what} became {errno.errorcode[result]}")
        # What was reported is what happened.
        told = "after" if result is None else "before"
        judge(what, box.snapshot(), {told: trees[told]})
        trees = {told: trees[told]}
    box.unmount()
    box.mount()
    judge(f"{what}, mounted again", box.snapshot(), trees)
    if box.leftovers():
        sys.exit(f"{what}: left in the work directory: {box.leftovers()}")
    box.unmount()


def main():
    near, far = Box(os.path.abspath("faults")), Box(os.path.abspath("afar"), ",redirect_dir=on,metacopy=on")
    count = 0
    for box, name, act in [(near, *each) for each in OPERATIONS.items()] + [(far, *each) for each in AFAR.items()]:
        box.reset()
        box.mount()
        before = box.snapshot()
        if (result := attempt(act, box.root)) is not None:
            sys.exit(f"{name}: {errno.errorcode[result]}")
        trees = {"before": before, "after": box.snapshot()}
        box.unmount()
        for step in steps_of(box, act):
            # Killed at each step, and an error at each step; every error at each when asked for.
            errors = [kind for kind in sys.argv[1:] if kind != "kill"]
            if errors and not os.environ.get("NACRE_EVERY_ERROR"):
                errors = [errors[count % len(errors)]]
            for kind in ["kill"] * ("kill" in sys.argv[1:]) + errors:
                trial(box, name, act, trees, step, kind)
                count += 1
    print(f"{count} trials")


if __name__ == "__main__":
    main()
