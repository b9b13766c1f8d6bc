# SPDX-License-Identifier: Apache-2.0
# A store written by nacre-fs opens in kernel overlayfs and the other way round.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
kernel_overlay_works || skip "kernel overlayfs cannot mount here"

fill_lower() {
  mkdir -p "$T/lower/a/b" "$T/lower/gone/x" "$T/lower/again/old" "$T/lower/merged"
  for f in file a/one a/b/two gone/x/y again/old/z merged/low merged/hide; do echo "$f" >"$T/lower/$f"; done
  ln -s file "$T/lower/link"
}
change() {
  cd "$1"
  echo more >>file
  rm a/one
  mv a/b/two a/b/three
  rm -r gone
  rm -r again
  mkdir again
  echo new >again/new
  echo up >merged/up
  rm merged/hide
  ln file hard
  mkdir -p fresh/deep
  echo x >fresh/deep/x
  rm link
  ln -s elsewhere link
  mv merged/low merged/low2
  chown 7:8 a/b/three
  setfattr -n user.k -v v merged
  mkfifo pipe
  mkdir tmp
  rmdir tmp
  : >a/one
  cd "$T"
}
for writer in fuse kernel; do
  layers
  fill_lower
  "${writer}_mount"
  change "$T/mnt"
  tree "$T/mnt" >"$T/by-writer"
  umount "$T/mnt"
  eventually "the end of the server" sh -c "! grep -q '$T/mnt' /proc/self/mountinfo"
  for reader in kernel fuse; do
    sleep 0.1
    "${reader}_mount"
    tree "$T/mnt" >"$T/by-reader"
    umount "$T/mnt"
    diff "$T/by-writer" "$T/by-reader" || fail "written by $writer, read by $reader"
  done
  # No private signs in the upper layer.
  ! find "$T/upper" -name '.wh.*' | grep . || fail "$writer left a marker file"
  # Inside an opaque folder there is never a whiteout.
  getfattr -R -h -m 'overlay.opaque' --absolute-names "$T/upper" 2>/dev/null | sed -n 's/^# file: //p' | while read -r folder; do
    ! find "$folder" -mindepth 1 -maxdepth 1 -type c | grep . || fail "a whiteout in opaque $folder"
  done
done

# Other dialects in lower layers.
layers
mkdir -p "$T/top/dir" "$T/lower/dir" "$T/lower/full"
echo low >"$T/lower/dir/low"
echo low >"$T/lower/full/low"
echo low >"$T/lower/name"
: >"$T/top/.wh.name"
: >"$T/top/dir/.wh..wh..opq"
mkdir "$T/top/full"
setfattr -n user.overlay.opaque -v y "$T/top/full"
fuse_mount "$T/top:$T/lower"
equal "marker files and user.overlay attributes" "$(cd "$T/mnt" && find . | sort | tr '\n' ' ')" ". ./dir ./full "
umount "$T/mnt"
