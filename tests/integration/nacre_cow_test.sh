# SPDX-License-Identifier: Apache-2.0
# Containers of one image never see each other's writes, and the image never changes.
. "$TESTS/lib.sh"

nacre run --rm busybox true
image=$(ls -d "$NACRE_DATA_DIR"/images/busybox-*)
sum() { (cd "$image" && find . -print0 | sort -z | xargs -0 ls -ld --time-style=full-iso && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum; }
before=$(sum)

nacre run --name one busybox sh -c 'echo one >>/etc/passwd; rm /bin/vi; mkdir /new; echo x >/new/file; mv /etc/group /etc/moved'
nacre run --name two busybox sh -c 'echo two >>/etc/passwd; grep -c one /etc/passwd; ls /bin/vi' >"$T/two" 2>&1 || true
equal "what the second sees of the first" "$(tr '\n' ' ' <"$T/two")" "0 /bin/vi "
equal "the image's checksum" "$(sum)" "$before"

upper=$(ls -d "$NACRE_DATA_DIR"/containers/*/upper | while read -r u; do if [ -d "$u/new" ]; then echo "$u"; fi; done)
[ -n "$upper" ] || fail "no upper layer holds what was written"
tail -n 1 "$upper/etc/passwd" | grep -q '^one$' || fail "the change is not in the upper layer"
[ -c "$upper/bin/vi" ] || fail "no whiteout for a removed file"

# Kernel overlayfs over the same layers shows the same tree as the container saw.
list='find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev \) -prune -o -printf "%p %M %U %G %s\n" | sort'
mkdir "$T/kernel" "$T/kernel-work"
if mount -t overlay -o "lowerdir=$upper:$image" overlay "$T/kernel" 2>"$T/why"; then
  (cd "$T/kernel" && sh -c "$list" | sed '/ d/s/ [0-9]*$//') >"$T/by-kernel"
  cat "$T/kernel/etc/passwd" "$T/kernel/etc/moved" >"$T/text-by-kernel"
  umount "$T/kernel"
else
  skip "kernel overlayfs cannot mount here: $(cat "$T/why")"
fi
mkdir -p "$T/fuse" "$T/u" "$T/w"
nacre-fs -o "lowerdir=$upper:$image,upperdir=$T/u,workdir=$T/w" "$T/fuse"
(cd "$T/fuse" && sh -c "$list" | sed '/ d/s/ [0-9]*$//') >"$T/by-fuse"
cat "$T/fuse/etc/passwd" "$T/fuse/etc/moved" >"$T/text-by-fuse"
umount "$T/fuse"
diff "$T/by-kernel" "$T/by-fuse" >"$T/diff" || fail "kernel overlayfs and nacre-fs differ: $(head -n 5 "$T/diff")"
cmp "$T/text-by-kernel" "$T/text-by-fuse" || fail "contents differ"
[ -s "$T/by-kernel" ] || fail "nothing was compared"

# Several layers, topmost first.
mkdir -p "$T/top/etc"
echo top >"$T/top/etc/motd"
equal "a layer above the image" "$(nacre run --rm "$T/top:$image" cat /etc/motd)" top
exits 0 nacre rm -a
