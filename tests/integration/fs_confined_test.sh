# SPDX-License-Identifier: Apache-2.0
# A server that was taken over can do little: what it tries fails, and it has few capabilities. When
# it dies, its mount goes with it.
. "$TESTS/lib.sh"
. "$TESTS/fs_lib.sh"
command -v defective-nacre-fs >/dev/null || skip "defective-nacre-fs was not built"
ATTEMPTS="open process socket mount kill exec namespace memory"

export NACRE_DEFECT=escape

layers
echo x >"$T/lower/file"
# Without confinement each attempt succeeds, or the test proves nothing. An executed program would
# be the end of the server.
serve ",confine=0" defective-nacre-fs
for attempt in $(echo "$ATTEMPTS" | sed 's/exec //'); do
  setfattr -n user.attempt -v "$attempt" "$T/mnt/file" || fail "$attempt: cannot be tried here"
done
served

serve "" defective-nacre-fs
stat "$T/mnt/file" >/dev/null # answered by a server that has got so far
grep -q '^Seccomp:.*2' "/proc/$server/status" || { served; skip "this build does not confine itself (sanitizers, coverage)"; }
for attempt in $ATTEMPTS; do
  ! setfattr -n user.attempt -v "$attempt" "$T/mnt/file" 2>"$T/err" || fail "$attempt: the server could"
  grep -Eq 'Operation not permitted|No such file' "$T/err" || fail "$attempt: $(cat "$T/err")"
done
equal "new privileges" "$(sed -n 's/^NoNewPrivs:[[:space:]]*//p' "/proc/$server/status")" 1
# chown, dac_override, dac_read_search, fowner, fsetid, sys_admin, mknod, setfcap, and sys_resource,
# which not every root has
for set in CapPrm CapEff CapBnd; do
  have=$(sed -n "s/^$set:[[:space:]]*//p" "/proc/$server/status")
  [ "$have" = 000000008820001f ] || equal "$set" "$have" 000000008920001f
done
equal "its root" "$(ls "/proc/$server/root/")" proc
# And still it serves.
echo more >>"$T/mnt/file"
equal "the file" "$(tail -n 1 "$T/mnt/file")" more
mknod "$T/mnt/null" c 1 3
chown 7:8 "$T/mnt/file"

kill -9 "$server"
wait "$server" 2>/dev/null || true
eventually "the end of the mount of a killed server" sh -c "! mountpoint -q '$T/mnt'"

# Where the root cannot be left, nothing is half done: unmounting still ends the server.
mkdir -p "$T/root/proc" "$T/root/dev" "$T/root/usr"
for folder in proc dev usr; do mount --rbind "/$folder" "$T/root/$folder"; done
for link in bin lib lib64 sbin; do [ ! -L "/$link" ] || ln -s "usr/$link" "$T/root/$link"; done
mkdir -p "$T/root/l" "$T/root/u" "$T/root/w" "$T/root/m"
cp "$BIN/nacre-fs" "$T/root/nacre-fs"
if chroot "$T/root" /nacre-fs -o lowerdir=/l,upperdir=/u,workdir=/w /m 2>"$T/err"; then
  umount "$T/root/m"
  eventually "mounting again in a chroot" chroot "$T/root" /nacre-fs -o lowerdir=/l,upperdir=/u,workdir=/w /m
  umount "$T/root/m"
else
  echo "not tested: a chroot: $(cat "$T/err")"
fi
for folder in usr dev proc; do umount -R -l "$T/root/$folder"; done

# Whoever mounts something else in its place keeps that.
serve "" defective-nacre-fs
mount -t tmpfs over "$T/mnt"
kill -9 "$server"
wait "$server" 2>/dev/null || true
sleep 0.3
grep -q "^over $T/mnt tmpfs" /proc/mounts || fail "the mount above that of a killed server is gone"
umount "$T/mnt"
umount -l "$T/mnt"
