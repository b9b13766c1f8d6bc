# SPDX-License-Identifier: Apache-2.0
# Copy-up: what a descriptor opened before it reads, what is kept, and what is not copied.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"

layers
head -c 1000000 /dev/urandom >"$T/lower/data"
cp "$T/lower/data" "$T/lower/second"
truncate -s 64M "$T/lower/sparse"
echo end >>"$T/lower/sparse"
head -c 32M /dev/zero >"$T/lower/big"
cp "$T/lower/data" "$T/lower/attributes"
setfattr -n user.k -v v "$T/lower/attributes"
chown 11:12 "$T/lower/attributes"
chmod 1640 "$T/lower/attributes"
touch -d '2001-02-03 04:05:06.789' "$T/lower/attributes"
before=$(tree "$T/lower" | sha256sum)
fuse_mount

python3 - "$T/mnt" <<'PY'
import mmap, os, sys
root = sys.argv[1]
def fail(text): print("FAIL:", text); sys.exit(1)

# A descriptor and a mapping from before the copy-up see what is written after it, cached or not.
for drop in (False, True):
    path = root + ("/data" if drop else "/second")
    ro = os.open(path, os.O_RDONLY)
    old = os.pread(ro, 100, 0)
    rw = os.open(path, os.O_RDWR)
    os.pwrite(rw, b"N" * 8192, 0); os.pwrite(rw, b"E" * 50, 1000000); os.fsync(rw)
    if drop:
        open("/proc/sys/vm/drop_caches", "w").write("1") if os.access("/proc/sys/vm/drop_caches", os.W_OK) else None
        os.posix_fadvise(ro, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(rw, 0, 0, os.POSIX_FADV_DONTNEED)
    if os.pread(ro, 8192, 0) != b"N" * 8192: fail(f"an old descriptor reads old data (drop={drop})")
    if os.pread(ro, 100, 1000000) != b"E" * 50: fail("an old descriptor does not see the new end")
    if os.pread(rw, 8192, 0) != b"N" * 8192: fail("the writer reads old data")
    os.close(rw)
    with open(path, "rb") as again:
        if again.read(8192) != b"N" * 8192: fail("a new descriptor reads old data")
    if os.fstat(ro).st_ino != os.stat(path).st_ino: fail("the inode number changed")
    os.close(ro)

st = os.stat(root + "/attributes")
with open(root + "/attributes", "ab"): pass          # opened for writing, nothing written
after = os.stat(root + "/attributes")
for name in ("st_ino", "st_uid", "st_gid", "st_mode", "st_mtime_ns", "st_size"):
    if getattr(st, name) != getattr(after, name): fail(f"{name} changed by copy-up")
if os.getxattr(root + "/attributes", "user.k") != b"v": fail("extended attributes were lost")
if {e.name: e.inode() for e in os.scandir(root)}["attributes"] != after.st_ino: fail("d_ino is not st_ino")
PY
echo tail >>"$T/mnt/sparse"
blocks=$(stat -c %b "$T/upper/sparse")
within "blocks of a sparse file after copy-up" "$blocks" 1 4096
equal "its end" "$(tail -c 9 "$T/mnt/sparse" | tr '\n' ' ')" "end tail "

# Removing or truncating a lower file copies nothing.
used() { df --output=used -k "$T" | tail -n 1; }
from=$(used)
: >"$T/mnt/big"
rm "$T/mnt/big"
within "KiB used by truncating and removing 32 MiB" $(($(used) - from)) -1000 1000
equal "the lower layer" "$(tree "$T/lower" | sha256sum)" "$before"
umount "$T/mnt"
