# SPDX-License-Identifier: Apache-2.0
# Files of the upper layer are read and written by the kernel alone; descriptors from before a
# copy-up, and pages cached before it, stay right all the same.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"

# counter NAME: what the server has counted until now.
counter() {
  : >"$T/log"
  kill -USR1 "$server"
  eventually "statistics" grep -q passed-through "$T/log"
  sed -n "s/^$1 //p" "$T/log"
}

layers
for f in plain early mapped truncated; do head -c 300000 /dev/urandom >"$T/lower/$f"; done
serve ""
head -c 3000000 /dev/urandom >"$T/mnt/new"
[ "$(counter passed-through)" -gt 0 ] || { served; skip "the kernel does not pass reads and writes through here"; }
cmp "$T/mnt/new" "$T/upper/new" || fail "passed-through data differs"
equal "requests to write" "$(counter writes)" 0
equal "requests to read" "$(counter reads)" 0

python3 - "$T/mnt" <<'PY'
import mmap, os, sys
root = sys.argv[1]
def fail(text): print("FAIL:", text); sys.exit(1)

# Cached while in the lower layer, then written by the kernel alone, then read again.
with open(root + "/plain", "rb") as file: before = file.read()
with open(root + "/plain", "r+b", buffering=0) as file: file.write(b"new" * 5000)
wanted = b"new" * 5000 + before[15000:]
with open(root + "/plain", "rb") as file:
    if file.read() != wanted: fail("what was cached before the copy-up is shown after it")
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:
        if pages[:] != wanted: fail("a mapping shows what was cached before the copy-up")

# Open and mapped before the copy-up: sees what is written later, by whatever descriptor.
ro = os.open(root + "/early", os.O_RDONLY)
pages = mmap.mmap(ro, 0, prot=mmap.PROT_READ)
os.pread(ro, 300000, 0), pages[:]
for where in (0, 4096, 200000):
    rw = os.open(root + "/early", os.O_RDWR)
    os.pwrite(rw, b"X" * 100, where)
    if os.pread(ro, 100, where) != b"X" * 100: fail("an old descriptor does not see a write")
    if pages[where:where + 100] != b"X" * 100: fail("an old mapping does not see a write")
    os.close(rw)
pages.close(); os.close(ro)
with open(root + "/early", "rb") as file:
    if file.read(100) != b"X" * 100: fail("a new descriptor does not see a write")

# A shared mapping that is written to, and appending.
with open(root + "/mapped", "r+b") as file:
    with mmap.mmap(file.fileno(), 0) as pages: pages[1000:1004] = b"MMAP"
    file.seek(0, 2); file.write(b"end")
with open(root + "/mapped", "rb") as file: data = file.read()
if data[1000:1004] != b"MMAP" or data[-3:] != b"end" or len(data) != 300003: fail("mapped or appended data is lost")
fd = os.open(root + "/mapped", os.O_WRONLY | os.O_APPEND)
os.write(fd, b"1"); os.write(fd, b"2"); os.close(fd)
if os.stat(root + "/mapped").st_size != 300005: fail("the size after appending")
os.truncate(root + "/truncated", 10)
if os.stat(root + "/truncated").st_size != 10: fail("truncation")

# A write by an ordinary user clears set-id bits.
fd = os.open(root + "/program", os.O_RDWR | os.O_CREAT, 0o777)
os.fchmod(fd, 0o6777)
if os.fork() == 0:
    os.setgid(1000); os.setuid(1000); os.write(fd, b"x"); os._exit(0)
os.wait()
if os.stat(root + "/program").st_mode & 0o7777 != 0o777: fail("set-id bits survive a write: %o" % os.stat(root + "/program").st_mode)
PY
served

serve ",passthrough=0"
echo more >>"$T/mnt/new"
equal "files passed through" "$(counter passed-through)" 0
[ "$(counter writes)" -gt 0 ] || fail "who has written?"
served
FUSE_OVERLAYFS_NO_PASSTHROUGH=1
export FUSE_OVERLAYFS_NO_PASSTHROUGH
serve ""
echo more >>"$T/mnt/new"
equal "files passed through" "$(counter passed-through)" 0
served
