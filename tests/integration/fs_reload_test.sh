# SPDX-License-Identifier: Apache-2.0
# A mount that is in use sees that its lower layers were changed, and gets further ones.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
[ -e "$BIN/nacre-fs" ] || skip "nacre-fs was not built"

says() { # COMMAND...: fails with one line, which is printed
  if "$@" 2>"$T/said"; then fail "$* succeeds"; fi
  equal "lines of $*" "$(wc -l <"$T/said")" 1
  cat "$T/said"
}

# --- changed layers -----------------------------------------------------------------------
layers
mkdir "$T/lower/dir"
echo old >"$T/lower/dir/file"
serve ""
if cat "$T/mnt/dir/later" 2>/dev/null; then fail "a file that is not there"; fi
exec 4<"$T/mnt/dir/file"
equal "a file" "$(cat "$T/mnt/dir/file")" old
changed() { [ "$(cat "$T/mnt/dir/file")" = "$1" ] && [ "$(cat "$T/mnt/dir/later")" = "$1" ]; }
for round in first second; do
  for file in file later; do
    echo "$round" >"$T/lower/dir/new"
    mv "$T/lower/dir/new" "$T/lower/dir/$file"
  done
  if [ $round = first ]; then nacre-fs --reload "$T/mnt"; else kill -HUP "$server"; fi
  eventually "the $round change" changed "$round"
done
equal "a file that was open before" "$(cat <&4)" old
# The server need not have this one open, and must not give another file's data for it.
exec 5<"$T/mnt/dir/later"
echo third >"$T/lower/dir/new"
mv "$T/lower/dir/new" "$T/lower/dir/later"
nacre-fs --reload "$T/mnt"
now_third() { [ "$(cat "$T/mnt/dir/later")" = third ]; }
eventually "the third change" now_third
content=$(cat <&5 2>"$T/said") || grep -q "Stale" "$T/said" || fail "an open file: $(cat "$T/said")"
case $content in ''|second) ;; *) fail "an open file has the data of another one: $content" ;; esac
exec 4<&- 5<&-
served

# --- further layers -----------------------------------------------------------------------
layers
mkdir -p "$T/lower/dir/sub" "$T/more/dir/sub" "$T/more/extra" "$T/top/dir" "$T/lower/gone" "$T/lower/opaque"
for file in dir/below dir/sub/below dir/changed dir/removed gone/file opaque/hidden; do echo lower >"$T/lower/$file"; done
for file in dir/changed dir/sub/above dir/both extra/file; do echo more >"$T/more/$file"; done
mkdir "$T/more/opaque"
echo more >"$T/more/opaque/shown"
setfattr -n trusted.overlay.opaque -v y "$T/more/opaque"
mknod "$T/more/gone" c 0 0
echo top >"$T/top/dir/both"
serve ""
cd "$T/mnt/dir/sub"
exec 4<"$T/mnt/dir/changed" 5<>"$T/mnt/dir/below" 6<"$T/mnt/gone/file"
if cat "$T/mnt/dir/both" 2>/dev/null; then fail "a file that is not there"; fi
echo upper >"$T/mnt/dir/made"
rm "$T/mnt/dir/removed"
number=$(stat -c %i "$T/mnt/dir")

nacre-fs --reload -o "lowerdir=$T/top:$T/more" "$T/mnt" || fail "no layers are added"
equal "the topmost layer" "$(cat "$T/mnt/dir/both")" top
equal "a file that a new layer changes" "$(cat "$T/mnt/dir/changed")" more
equal "a directory that a new layer has" "$(cat "$T/mnt/extra/file")" more
equal "the upper" "$(cat "$T/mnt/dir/made")" upper
equal "a merged directory" "$(ls "$T/mnt/dir" | xargs)" "below both changed made sub"
equal "an opaque directory" "$(ls "$T/mnt/opaque")" shown
if ls "$T/mnt/gone" 2>/dev/null; then fail "a new layer's whiteout removes nothing"; fi
equal "the working directory" "$(cat above)" more
equal "its other files" "$(cat below)" lower
equal "a file that was open" "$(cat <&4)" lower
equal "a removed file that was open" "$(cat <&6)" lower
echo written >&5
equal "a file that was open for writing" "$(cat "$T/mnt/dir/below")" written
echo changed >>"$T/mnt/extra/file"
equal "copy-up from a new layer" "$(cat "$T/upper/extra/file")" "$(printf 'more\nchanged')"
rm -r "$T/mnt/dir"
if ls "$T/mnt/dir" 2>/dev/null; then fail "a removed directory of all layers"; fi
mkdir "$T/mnt/dir"
equal "a directory made anew" "$(ls "$T/mnt/dir")" ""
[ "$(stat -c %i "$T/mnt/dir")" != "$number" ] || fail "a new directory has the number of the old one"
cd "$T"
exec 4<&- 5<&- 6<&-

# The same as a mount that had the layers from the beginning.
tree "$T/mnt" >"$T/live"
served
fuse_mount "$T/top:$T/more:$T/lower"
tree "$T/mnt" >"$T/anew"
umount "$T/mnt"
diff "$T/live" "$T/anew" || fail "a mount with all layers differs"

# --- one after the other, while it is used ------------------------------------------------
layers
echo 0 >"$T/lower/number"
serve ",threads=4"
for i in $(seq 20); do
  mkdir "$T/layer$i"
  echo "$i" >"$T/layer$i/number"
  echo "$i" >"$T/layer$i/only$i"
done
(while [ ! -e "$T/enough" ] && kill -0 $$; do cat "$T"/mnt/[no]* >/dev/null || exit 1; done) &
reader=$!
(
  i=0
  while [ ! -e "$T/enough" ] && kill -0 $$; do
    i=$((i + 1))
    mkdir "$T/mnt/d$i" && mv "$T/mnt/d$i" "$T/mnt/e$i" && rmdir "$T/mnt/e$i" || exit 1
  done
) &
writer=$!
for i in $(seq 20); do
  nacre-fs --reload -o "lowerdir=$T/layer$i" "$T/mnt" || fail "layer $i is not added"
  equal "with layer $i" "$(cat "$T/mnt/number")" "$i"
  equal "files with layer $i" "$(ls "$T/mnt" | grep -c only)" "$i"
done
: >"$T/enough"
wait "$reader" || fail "reading fails meanwhile"
wait "$writer" || fail "writing fails meanwhile"
served

# --- read-only ----------------------------------------------------------------------------
layers
mkdir "$T/one" "$T/two"
echo one >"$T/one/file"
echo two >"$T/two/file"
chmod 750 "$T/two"
nacre-fs -o "lowerdir=$T/one" "$T/mnt"
nacre-fs --reload -o "lowerdir=$T/two" "$T/mnt" || fail "nothing is added to a read-only mount"
equal "a read-only mount" "$(cat "$T/mnt/file")" two
equal "its root" "$(stat -c %a "$T/mnt")" 750
umount "$T/mnt"

# --- what is refused ----------------------------------------------------------------------
layers
echo lower >"$T/lower/file"
serve ""
mkdir "$T/upper/inside"
for wrong in "$T/upper" "$T/upper/inside" "$T/work"; do
  says nacre-fs --reload -o "lowerdir=$wrong" "$T/mnt" | grep -q "lies inside" || fail "$wrong as a layer: $(cat "$T/said")"
done
says nacre-fs --reload -o "lowerdir=$T" "$T/mnt" | grep -q "lies inside lowerdir $T" || fail "the folder of the upper: $(cat "$T/said")"
says nacre-fs --reload -o "lowerdir=$T/mnt" "$T/mnt" | grep -q "inside the mount" || fail "the mount itself: $(cat "$T/said")"
says nacre-fs --reload -o "lowerdir=$T/nothing" "$T/mnt" | grep -q "lowerdir $T/nothing: No such" || fail "no directory: $(cat "$T/said")"
says nacre-fs --reload -o "lowerdir=$T/one::$T/two" "$T/mnt" | grep -q "data only" || fail "data only: $(cat "$T/said")"
says nacre-fs --reload -o "lowerdir=$T/one" "$T/mnt/inside" | grep -q "not the top" || fail "below the mount: $(cat "$T/said")"
says nacre-fs --reload -o "lowerdir=$T/one" "$T/one" | grep -q "not the top" || fail "no mount: $(cat "$T/said")"
says setpriv --reuid 65534 --regid 65534 --clear-groups -- "$BIN/nacre-fs" --reload -o "lowerdir=$T/one" "$T/mnt" >/dev/null
many=$T/one
for i in $(seq 63); do many=$many:$T/one; done
says nacre-fs --reload -o "lowerdir=$many" "$T/mnt" | grep -q "more than 63" || fail "many layers: $(cat "$T/said")"
equal "the mount after all that" "$(ls "$T/mnt")" "$(printf 'file\ninside')"
equal "its data" "$(cat "$T/mnt/file")" lower
served
