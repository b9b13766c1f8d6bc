# SPDX-License-Identifier: Apache-2.0
"""idmapped_mount.py SOURCE TARGET SHOWN COUNT: what is mounted on SOURCE once more on TARGET, where the
ids from 0 on are shown as those from SHOWN on (mount_setattr(2), MOUNT_ATTR_IDMAP)."""
import ctypes
import os
import struct
import sys

SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = 1, 4
MOUNT_ATTR_IDMAP = 0x100000
CLONE_NEWUSER = 0x10000000

libc = ctypes.CDLL(None, use_errno=True)


def call(what, number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def user_namespace(first, count):
    """A descriptor of a new user namespace; the process that makes it ends with ours."""
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        if libc.unshare(CLONE_NEWUSER) != 0:
            os._exit(1)
        os.write(ready[1], b"x")
        os.close(go[1])
        os.read(go[0], 1)
        os._exit(0)
    os.close(ready[1])
    if not os.read(ready[0], 1):
        sys.exit("no user namespace can be made")
    for kind in ("uid", "gid"):
        with open(f"/proc/{child}/{kind}_map", "w", encoding="ascii") as file:
            file.write(f"0 {first} {count}")
    namespace = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
    os.close(go[1])
    os.waitpid(child, 0)
    return namespace


source, target = (os.fsencode(path) for path in sys.argv[1:3])
tree = call("open_tree", SYS_OPEN_TREE, AT_FDCWD, source, OPEN_TREE_CLONE)
attributes = struct.pack("QQQQ", MOUNT_ATTR_IDMAP, 0, 0, user_namespace(*sys.argv[3:5]))
call("mount_setattr", SYS_MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, attributes, len(attributes))
call("move_mount", SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)
