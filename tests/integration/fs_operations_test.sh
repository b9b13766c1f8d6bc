# SPDX-License-Identifier: Apache-2.0
# The same calls on the mount and on an ordinary folder of the same contents: result, errno
# and the tree afterwards must be the same.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"

layers
mkdir "$T/native"
fill() {
  mkdir -p "$1/dir/sub" "$1/empty" "$1/full/deep/er"
  echo text >"$1/file"
  echo inner >"$1/dir/inner"
  echo deep >"$1/full/deep/er/file"
  ln -s file "$1/link"
  ln -s /nowhere "$1/dangling"
  chmod 4755 "$1/file"
  setfattr -n user.colour -v blue "$1/file"
  touch -d '2020-02-02 02:02:02' "$1/file" "$1/dir/inner" "$1/full/deep/er/file"
}
fill "$T/lower"
fill "$T/native"
before=$(tree "$T/lower" | sha256sum)
fuse_mount
equal "the tree before any change" "$(tree "$T/mnt" | sha256sum)" "$(tree "$T/native" | sha256sum)"

python3 - "$T/mnt" "$T/native" <<'PY'
import ctypes, errno, fcntl, os, stat, sys

libc = ctypes.CDLL(None, use_errno=True)
def renameat2(a, b, flags):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) != 0:
        e = ctypes.get_errno(); raise OSError(e, os.strerror(e))
def fallocate(fd, mode, offset, size):
    if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(size)) != 0:
        e = ctypes.get_errno(); raise OSError(e, os.strerror(e))

def put(path, data, flags=os.O_WRONLY | os.O_CREAT, offset=None):
    fd = os.open(path, flags, 0o640)
    try:
        return os.pwrite(fd, data, offset) if offset is not None else os.write(fd, data)
    finally:
        os.close(fd)
def get(path):
    with open(path, "rb") as f: return f.read()
def meta(path, follow=False):
    st = os.stat(path, follow_symlinks=follow)
    size = 0 if stat.S_ISDIR(st.st_mode) else st.st_size
    links = 0 if stat.S_ISDIR(st.st_mode) else st.st_nlink
    return (oct(st.st_mode), st.st_uid, st.st_gid, size, links)
def holes(path):
    fd = os.open(path, os.O_RDWR)
    try:
        fallocate(fd, 0, 0, 1 << 16); fallocate(fd, 3, 4096, 8192)
        return (os.lseek(fd, 0, os.SEEK_HOLE) <= os.fstat(fd).st_size, os.fstat(fd).st_size)
    finally: os.close(fd)
def copy_range(a, b):
    s, d = os.open(a, os.O_RDONLY), os.open(b, os.O_RDWR | os.O_CREAT, 0o600)
    try: return os.copy_file_range(s, d, 3)
    finally: os.close(s); os.close(d)
def unlinked_is_usable(path):
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, b"gone"); os.unlink(path)
    try: return os.pread(fd, 10, 0), os.fstat(fd).st_nlink
    finally: os.close(fd)
def lower_unlinked_is_usable(path):
    fd = os.open(path, os.O_RDONLY); os.unlink(path)
    try: return os.pread(fd, 10, 0)
    finally: os.close(fd)
def tmpfile(folder, name):
    fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    try:
        os.write(fd, b"nameless"); os.link(f"/proc/self/fd/{fd}", name, follow_symlinks=True)
        return get(name)
    finally: os.close(fd)
def flocked(path):
    a, b = os.open(path, os.O_RDWR), os.open(path, os.O_RDWR)
    try:
        fcntl.flock(a, fcntl.LOCK_EX)
        try: fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB); return "both"
        except BlockingIOError: return "one"
    finally: os.close(a); os.close(b)

# Each row: what to call, with {} for the root.
rows = [
  lambda r: get(r + "/file"), lambda r: meta(r + "/file"), lambda r: get(r + "/missing"),
  lambda r: put(r + "/file", b"XY", offset=1), lambda r: get(r + "/file"), lambda r: meta(r + "/file"),
  lambda r: put(r + "/dir/inner", b"more", os.O_WRONLY | os.O_APPEND), lambda r: get(r + "/dir/inner"),
  lambda r: put(r + "/full/deep/er/file", b"new", os.O_WRONLY | os.O_TRUNC), lambda r: get(r + "/full/deep/er/file"),
  lambda r: put(r + "/made", b"1"), lambda r: put(r + "/made", b"1", os.O_WRONLY | os.O_CREAT | os.O_EXCL), lambda r: meta(r + "/made"),
  lambda r: os.mkdir(r + "/folder", 0o2755), lambda r: put(r + "/folder/x", b"x"), lambda r: meta(r + "/folder"),
  lambda r: os.mkdir(r + "/dir"), lambda r: os.rmdir(r + "/full"), lambda r: os.rmdir(r + "/empty"), lambda r: os.rmdir(r + "/file"),
  lambda r: os.mkdir(r + "/empty"), lambda r: os.listdir(r + "/empty"), lambda r: sorted(os.listdir(r)),
  lambda r: os.symlink("target", r + "/sym"), lambda r: os.readlink(r + "/sym"), lambda r: os.readlink(r + "/link"), lambda r: os.readlink(r + "/file"),
  lambda r: os.link(r + "/file", r + "/hard"), lambda r: meta(r + "/hard"), lambda r: put(r + "/hard", b"Z", offset=0), lambda r: get(r + "/file"),
  lambda r: os.stat(r + "/hard").st_ino == os.stat(r + "/file").st_ino, lambda r: os.link(r + "/dir", r + "/no"),
  lambda r: os.rename(r + "/made", r + "/dir/moved"), lambda r: get(r + "/dir/moved"), lambda r: os.rename(r + "/missing", r + "/x"),
  lambda r: os.rename(r + "/link", r + "/relinked"), lambda r: os.readlink(r + "/relinked"), lambda r: os.rename(r + "/dir/inner", r + "/dir/moved"),
  lambda r: os.rename(r + "/folder", r + "/empty"), lambda r: sorted(os.listdir(r + "/empty")), lambda r: os.rename(r + "/file", r + "/empty"),
  lambda r: renameat2(r + "/hard", r + "/dangling", 1), lambda r: renameat2(r + "/hard", r + "/dangling", 2), lambda r: os.readlink(r + "/hard"),
  lambda r: os.chmod(r + "/dangling", 0o600), lambda r: os.chown(r + "/dangling", 12, 34), lambda r: os.lchown(r + "/sym", 5, 6), lambda r: meta(r + "/sym"),
  lambda r: os.utime(r + "/dangling", ns=(10**18, 10**18)), lambda r: os.stat(r + "/dangling").st_mtime_ns,
  lambda r: os.truncate(r + "/dangling", 100000), lambda r: meta(r + "/dangling"), lambda r: os.truncate(r + "/dir", 1),
  lambda r: os.setxattr(r + "/dangling", "user.a", b"1"), lambda r: os.getxattr(r + "/dangling", "user.a"), lambda r: sorted(os.listxattr(r + "/dangling")),
  lambda r: os.removexattr(r + "/dangling", "user.a"), lambda r: os.getxattr(r + "/dangling", "user.a"),
  lambda r: os.setxattr(r + "/full/deep", "user.b", b"22"), lambda r: os.getxattr(r + "/full/deep", "user.b"),
  lambda r: os.mknod(r + "/fifo", stat.S_IFIFO | 0o600), lambda r: os.mknod(r + "/null", stat.S_IFCHR | 0o600, os.makedev(1, 3)), lambda r: meta(r + "/fifo"),
  lambda r: holes(r + "/dangling"), lambda r: copy_range(r + "/dangling", r + "/copied"), lambda r: meta(r + "/copied"),
  lambda r: unlinked_is_usable(r + "/brief"), lambda r: lower_unlinked_is_usable(r + "/full/deep/er/file"), lambda r: get(r + "/full/deep/er/file"),
  lambda r: tmpfile(r + "/dir", r + "/named"), lambda r: flocked(r + "/dangling"),
  lambda r: os.unlink(r + "/dir"), lambda r: os.unlink(r + "/relinked"), lambda r: os.unlink(r + "/relinked"),
  lambda r: put(r + "/" + "n" * 255, b"long"), lambda r: put(r + "/" + "n" * 256, b"too long"), lambda r: os.unlink(r + "/" + "n" * 255),
  lambda r: os.statvfs(r).f_namemax, lambda r: os.open(r + "/dir", os.O_WRONLY), lambda r: os.open(r + "/sym", os.O_RDONLY | os.O_NOFOLLOW),
]
def outcome(row, root):
    try: return row(root)
    except OSError as e: return errno.errorcode.get(e.errno, e.errno)
for number, row in enumerate(rows):
    ours, native = outcome(row, sys.argv[1]), outcome(row, sys.argv[2])
    if ours != native:
        print(f"FAIL: row {number}: the mount says {ours}, an ordinary folder {native}"); sys.exit(1)
PY
strip() { tree "$1" | awk '{print}' | sed -E 's/^([^ ]+ 0o10[0-7]+ [0-9]+ [0-9]+ [0-9]+) [0-9]+/\1/'; }
strip "$T/mnt" >"$T/a"
strip "$T/native" >"$T/b"
diff "$T/a" "$T/b" || fail "the trees differ"
equal "the lower layer" "$(tree "$T/lower" | sha256sum)" "$before"
umount "$T/mnt"
# What was written is there after another mount.
fuse_mount
strip "$T/mnt" >"$T/a"
diff "$T/a" "$T/b" || fail "the trees differ after mounting again"
umount "$T/mnt"
