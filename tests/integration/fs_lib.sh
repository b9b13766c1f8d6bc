# SPDX-License-Identifier: Apache-2.0
# Mounting layers in tests of nacre-fs. Source after lib.sh.

# layers: fresh folders $T/lower, $T/upper, $T/work, $T/mnt.
layers() {
  for folder in lower upper work mnt; do
    rm -rf "${T:?}/$folder"
    mkdir "$T/$folder"
  done
}

# fuse_mount [LOWERDIR]: nacre-fs over $T/lower and $T/upper, on $T/mnt.
fuse_mount() {
  nacre-fs -o "lowerdir=${1:-$T/lower},upperdir=$T/upper,workdir=$T/work" "$T/mnt" || fail "nacre-fs does not mount"
}

# serve OPTIONS [PROGRAM]: the same in the foreground, with more options (",threads=1"); its process is
# $server, and what it says is in $T/log. served: until it is unmounted and has ended well.
serve() {
  "${2:-nacre-fs}" -f -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work$1" "$T/mnt" 2>>"$T/log" &
  server=$!
  eventually "the mount" mountpoint -q "$T/mnt"
}
served() {
  umount "$T/mnt"
  wait "$server" || fail "the server failed: $(cat "$T/log")"
}

# kernel_mount [LOWERDIR]: kernel overlayfs over the same.
# shellcheck disable=SC2120 # tests that source this file pass one
kernel_mount() {
  mount -t overlay -o "lowerdir=${1:-$T/lower},upperdir=$T/upper,workdir=$T/work,xino=off,index=off,metacopy=off,redirect_dir=off" overlay "$T/mnt"
}

kernel_overlay_works() {
  layers
  kernel_mount 2>/dev/null && umount "$T/mnt"
}

# in_memory: goes to a folder $T/disk whose files are in memory, where such can have user.*
# attributes (Linux 6.6); many small trials take long on a disk.
in_memory() {
  mkdir "$T/disk"
  mount -t tmpfs none "$T/disk"
  : >"$T/disk/probe"
  setfattr -n user.probe -v x "$T/disk/probe" 2>/dev/null || umount "$T/disk"
  rm -f "$T/disk/probe"
  cd "$T/disk"
}
leave_memory() {
  cd "$T"
  umount "$T/disk" 2>/dev/null || true
}

# Everything about a tree that must be the same whoever shows it, but for the inode numbers
# and the sizes of directories.
tree() {
  python3 "$TESTS/tree.py" "$1"
}
