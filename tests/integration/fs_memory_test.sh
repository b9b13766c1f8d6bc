# SPDX-License-Identifier: Apache-2.0
# Memory and descriptors are bounded: a walk over a large tree costs some bytes for each file,
# the next ones cost no more, and when the kernel forgets the tree, so does the server.
# "NACRE_FILES=1000000" goes on elsewhere.
. "$TESTS/lib.sh"
not_emulated "a hundred thousand files"
. "$TESTS/fs_lib.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
[ -e "$BIN/nacre-fs" ] || skip "nacre-fs was not built"

files=${NACRE_FILES:-100000}
# What a file may cost: a record of an inode and one of a name, 64 and 28 bytes, the name in
# units of 16, and its places in two hash tables that double, 4 to 8 bytes each.
cost=160
# What else may come, in KiB: each thread's buffers, and what malloc keeps of listings.
slack=8192
# Percent of what the files cost that may stay when all are forgotten.
stays=8

layers
mkdir "$T/disk"
mount -t tmpfs -o nr_inodes=0 none "$T/disk" || skip "a tmpfs without a limit of inodes cannot be mounted"
mkdir "$T/disk/lower"
python3 - "$T/disk/lower" "$files" <<'PY'
import os, stat, sys
root, files = sys.argv[1], int(sys.argv[2])
for number in range(files):
    if number % 100 == 0:
        folder = f"{root}/{number // 10000}/{number // 100}"
        os.makedirs(folder)
    os.mknod(f"{folder}/file-{number}", stat.S_IFREG | 0o644)
PY

log=$T/log
# A quarter of the descriptors is for directories that stay open; the tree has more of them.
limit=${NACRE_DESCRIPTORS:-256}
prlimit --nofile="$limit" nacre-fs -f -o "lowerdir=$T/disk/lower,upperdir=$T/upper,workdir=$T/work" "$T/mnt" 2>>"$log" &
server=$!
eventually "the mount" mountpoint -q "$T/mnt"
counter() { # NAME: what the server says of itself
  : >"$log"
  kill -USR1 "$server"
  eventually "statistics" grep -q passed-through "$log"
  sed -n "s/^$1 //p" "$log"
}
memory() { awk '/^VmRSS/ {print $2}' "/proc/$server/status"; } # KiB
descriptors() { find "/proc/$server/fd" -type l -printf '%l\n' 2>/dev/null | grep -cv '^pipe:'; }
report() { echo "$1: $(memory) KiB, inodes $(counter inodes), descriptors $(descriptors)"; }
walk() {
  equal "names" "$(find "$T/mnt" -type f -ls | wc -l)" "$files"
  descriptors_bounded
}
descriptors_bounded() {
  [ "$(descriptors)" -le $((started + limit / 4 + 4)) ] || fail "descriptors: $(descriptors), $started at first"
}
# A sanitizer's shadow is terabytes large, and what it keeps says nothing.
memory_bounded() { # WHAT KIB
  if [ "$(awk '/^VmSize/ {print $2}' "/proc/$server/status")" -lt 1000000000 ]; then
    [ "$(memory)" -le "$2" ] || fail "$1: $(memory) KiB, $before at first, want at most $2"
  fi
}
forget() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    { echo 2 >/proc/sys/vm/drop_caches; } 2>/dev/null || return 1
    [ "$(counter inodes)" -le 1 ] && break
    sleep 0.5
  done
  [ "$(counter inodes)" -le 1 ] || fail "the kernel has forgotten all, the server knows inodes: $(counter inodes)"
  equal "handles" "$(counter handles)" 0
  within "open directories" "$(counter open-directories)" 0 4
  within "descriptors" "$(descriptors)" 1 $((started + 4))
  report "forgotten"
  memory_bounded "memory when all is forgotten" $((before + files * cost * stays / 102400 + slack))
}

stat "$T/mnt" >/dev/null
before=$(memory) started=$(descriptors)
report "before"
for round in 1 2 3; do
  walk
  report "walk $round over $files files"
  [ "$round" != 1 ] || echo "$((($(memory) - before) * 1024 / files)) bytes for a file"
  memory_bounded "memory after walk $round" $((before + files * cost / 1024 + slack))
  forget || echo "not tested: what is left when the kernel forgets: it may not be asked to"
done
umount "$T/mnt"
wait "$server" || fail "the server failed: $(cat "$log")"
umount "$T/disk"
