# SPDX-License-Identifier: Apache-2.0
"""differential.py SEED COUNT OURS OTHER: the same random operations on both trees; stops at the
first different outcome. differential.py --compare A B: compares two trees."""
import errno
import os
import random
import stat
import sys

import tree

NAMES = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", "s", "n"]


def some_path(rng):
    return "/".join(rng.choice(NAMES) for _ in range(rng.choice([1, 1, 2, 2, 3])))


def write(path, data, flags):
    fd = os.open(path, flags, 0o644)
    try:
        return os.write(fd, data)
    finally:
        os.close(fd)


def read(path):
    with open(path, "rb") as data:
        return data.read()


def status(path):
    st = os.lstat(path)
    return (oct(st.st_mode), st.st_uid, st.st_size if not stat.S_ISDIR(st.st_mode) else 0)


def operations(rng):
    """One random operation: its name for the report and a function of the root."""
    a, b, data = some_path(rng), some_path(rng), bytes([rng.randrange(65, 91)]) * rng.randrange(1, 5000)
    table = [
        ("create", lambda r: write(f"{r}/{a}", data, os.O_WRONLY | os.O_CREAT)),
        ("append", lambda r: write(f"{r}/{a}", data, os.O_WRONLY | os.O_APPEND)),
        ("truncate", lambda r: write(f"{r}/{a}", data, os.O_WRONLY | os.O_TRUNC)),
        ("exclusive", lambda r: write(f"{r}/{a}", data, os.O_WRONLY | os.O_CREAT | os.O_EXCL)),
        ("read", lambda r: read(f"{r}/{a}")),
        ("status", lambda r: status(f"{r}/{a}")),
        ("list", lambda r: sorted(os.listdir(f"{r}/{a}"))),
        ("mkdir", lambda r: os.mkdir(f"{r}/{a}")),
        ("rmdir", lambda r: os.rmdir(f"{r}/{a}")),
        ("unlink", lambda r: os.unlink(f"{r}/{a}")),
        ("rename", lambda r: os.rename(f"{r}/{a}", f"{r}/{b}")),
        ("rename", lambda r: os.rename(f"{r}/{a}", f"{r}/{b}")),
        ("link", lambda r: os.link(f"{r}/{a}", f"{r}/{b}", follow_symlinks=False)),
        ("symlink", lambda r: os.symlink(b, f"{r}/{a}")),
        ("readlink", lambda r: os.readlink(f"{r}/{a}")),
        ("chmod", lambda r: os.chmod(f"{r}/{a}", 0o600 | len(data) % 64)),
        ("chown", lambda r: os.chown(f"{r}/{a}", len(data), 5, follow_symlinks=False)),
        ("setxattr", lambda r: os.setxattr(f"{r}/{a}", "user.x", data[:20], follow_symlinks=False)),
        ("resize", lambda r: os.truncate(f"{r}/{a}", len(data) // 2)),
        ("fifo", lambda r: os.mkfifo(f"{r}/{a}")),
    ]
    name, call = table[rng.randrange(len(table))]
    # A fifo blocks who opens it.
    if name in ("create", "append", "truncate", "exclusive", "read"):
        plain = call
        def call(r): return "fifo" if os.path.lexists(f"{r}/{a}") and stat.S_ISFIFO(os.stat(f"{r}/{a}").st_mode) else plain(r)
    return f"{name} {a} {b}", call


def outcome(call, root):
    try:
        return call(root)
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)


def snapshot(root):
    lines = {}
    for name, text in tree.walk(root):
        words = text.split(" ")
        if stat.S_ISREG(int(words[0], 8)):
            del words[4]  # mtime: the two runs were not at the same instant
        lines[name] = " ".join(words)
    return lines


def compare(first, second):
    a, b = snapshot(first), snapshot(second)
    for name in sorted(a.keys() | b.keys()):
        if a.get(name) != b.get(name):
            print(f"{name}: {a.get(name)} against {b.get(name)}")
            return 1
    return 0


def main():
    if sys.argv[1] == "--compare":
        return compare(sys.argv[2], sys.argv[3])
    rng = random.Random(int(sys.argv[1]))
    done = []
    for _ in range(int(sys.argv[2])):
        name, call = operations(rng)
        ours, other = outcome(call, sys.argv[3]), outcome(call, sys.argv[4])
        done.append(f"{name}: {str(ours)[:60]}")
        if ours != other:
            print(*done[-15:], sep="\n")
            print(f"last one differs: ours {str(ours)[:200]}, other {str(other)[:200]}")
            return 1
    return compare(sys.argv[3], sys.argv[4])


if __name__ == "__main__":
    sys.exit(main())
