# SPDX-License-Identifier: Apache-2.0
# A full file system below the upper layer: every operation fails as it should, changes nothing,
# leaves nothing, and works again when there is space. Quotas likewise, where the kernel has them.
. "$TESTS/lib.sh"
not_emulated "hundreds of mounts"
. "$TESTS/fs_lib.sh"
command -v python3 >/dev/null || skip "python3 is not installed"
command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
[ -e "$BIN/nacre-fs" ] || skip "nacre-fs was not built"

mkdir "$T/disk" "$T/mnt"
# disk MKFS…: an empty file system on $T/disk.
disk() {
  rm -f "$T/image"
  truncate -s "$size" "$T/image"
  "$@" "$T/image" >/dev/null 2>&1 && mount -o loop "$T/image" "$T/disk" 2>/dev/null
}
full() { # FOLDER RESOURCE…
  folder=$1
  shift
  rm -rf "$T/lower"
  mkdir "$T/lower"
  python3 "$TESTS/fs_full.py" "$folder" "$T/lower" "$T/mnt" "$@" || fail "see above"
  umount "$T/disk"
}

size=100M
# Without a journal, so that a block is free as soon as its file is removed.
disk mkfs.ext4 -q -F -m 0 -b 4096 -N 512 -O ^has_journal || skip "an ext4 on a loop device cannot be made"
rmdir "$T/disk/lost+found"
full "$T/disk" blocks inodes

size=200M
# One of the file systems whose quotas hold for root.
if disk mkfs.btrfs -q -f -M -n 4096 && btrfs quota enable "$T/disk" 2>/dev/null; then
  # What is counted while the first count runs is wrong.
  btrfs quota rescan -w "$T/disk" >/dev/null
  btrfs subvolume create "$T/disk/limited" >/dev/null
  full "$T/disk/limited" quota
else
  echo "not tested: quotas: no btrfs can be made (mkfs.btrfs, btrfs)"
  if mountpoint -q "$T/disk"; then umount "$T/disk"; fi
fi
