# SPDX-License-Identifier: Apache-2.0
"""Prints a tree so that two trees can be compared: a line per name with type, mode, owner,
size, mtime (files), link target, device, extended attributes and a digest of the data."""
import hashlib
import os
import stat
import sys


def attributes(path):
    try:
        names = sorted(os.listxattr(path, follow_symlinks=False))
    except OSError as error:
        return f"errno {error.errno}"
    shown = {n: os.getxattr(path, n, follow_symlinks=False).hex() for n in names if not n.startswith("system.")}
    return ",".join(f"{n}={v}" for n, v in shown.items())


def describe(path):
    st = os.lstat(path)
    kind = stat.S_IFMT(st.st_mode)
    words = [oct(st.st_mode), str(st.st_uid), str(st.st_gid)]
    if kind == stat.S_IFREG:
        with open(path, "rb") as data:
            words += [str(st.st_size), str(st.st_mtime_ns), hashlib.sha1(data.read()).hexdigest()]
    elif kind == stat.S_IFLNK:
        words.append(os.readlink(path))
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        words.append(f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}")
    words.append(attributes(path))
    return " ".join(words)


def walk(top):
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            yield os.path.relpath(path, top), describe(path)


if __name__ == "__main__":
    for name, text in walk(sys.argv[1]):
        print(name, text)
