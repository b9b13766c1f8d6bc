# SPDX-License-Identifier: Apache-2.0
# Random operations, the same ones on nacre-fs and on kernel overlayfs with the same layers:
# every result and errno, the tree at the end, and each upper layer as the other reads it.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
kernel_overlay_works || skip "kernel overlayfs cannot mount here"

fill_lower() {
  mkdir -p "$T/lower/a/b/c" "$T/lower/d/e" "$T/lower2/a/b" "$T/lower2/f"
  for f in a/1 a/b/2 a/b/c/3 d/4 d/e/5 6; do echo "$f" >"$T/lower/$f"; done
  for f in a/7 a/b/8 f/9 6; do echo "$f two" >"$T/lower2/$f"; done
  ln -s 6 "$T/lower/s"
}
rm -rf "$T/k"
for seed in $(seq $((12 / ${NACRE_TEST_SCALE:-1} + 1))); do
  rm -rf "$T/lower2" "$T/k"
  layers
  mkdir "$T/lower2" "$T/k" "$T/k/upper" "$T/k/work" "$T/k/mnt"
  fill_lower
  fuse_mount "$T/lower:$T/lower2"
  mount -t overlay -o "lowerdir=$T/lower:$T/lower2,upperdir=$T/k/upper,workdir=$T/k/work,redirect_dir=off,index=off,metacopy=off" overlay "$T/k/mnt"
  python3 "$TESTS/differential.py" "$seed" 300 "$T/mnt" "$T/k/mnt" || fail "seed $seed"
  umount "$T/mnt" "$T/k/mnt"
  sleep 0.05
  # Each upper layer, read by the other.
  mount -t overlay -o "lowerdir=$T/upper:$T/lower:$T/lower2" overlay "$T/mnt"
  nacre-fs -o "lowerdir=$T/k/upper:$T/lower:$T/lower2" "$T/k/mnt"
  python3 "$TESTS/differential.py" --compare "$T/mnt" "$T/k/mnt" || fail "seed $seed: the uppers differ"
  umount "$T/mnt" "$T/k/mnt"
done
