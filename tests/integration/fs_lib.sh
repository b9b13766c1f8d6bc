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

# kernel_mount [LOWERDIR]: kernel overlayfs over the same.
# shellcheck disable=SC2120 # tests that source this file pass one
kernel_mount() {
  mount -t overlay -o "lowerdir=${1:-$T/lower},upperdir=$T/upper,workdir=$T/work,xino=off,index=off,metacopy=off,redirect_dir=off" overlay "$T/mnt"
}

kernel_overlay_works() {
  layers
  kernel_mount 2>/dev/null && umount "$T/mnt"
}

# Everything about a tree that must be the same whoever shows it, but for the inode numbers
# and the sizes of directories.
tree() {
  python3 "$TESTS/tree.py" "$1"
}
