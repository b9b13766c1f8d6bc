# SPDX-License-Identifier: Apache-2.0
# Two hundred containers in a row, twenty at once and four series side by side leave nothing behind.
. "$TESTS/lib.sh"

nacre run --rm busybox true
keeper=$(cat "$NACRE_PROCFS_DIR/pid")
daemon=$(xargs <"/proc/$keeper/task/$keeper/children")
fds() { ls "/proc/$keeper/fd" "/proc/$daemon/fd" | wc -l; }
connections() { mount -t fusectl none "$T/conn" 2>/dev/null; ls "$T/conn" 2>/dev/null | wc -l; umount "$T/conn" 2>/dev/null || true; }
mkdir "$T/conn"
fds_before=$(fds)
connections_before=$(connections)

for i in $(seq $((200 / ${NACRE_TEST_SCALE:-1}))); do
  nacre run --rm busybox true || fail "run $i exited with $?"
done
for i in $(seq $((20 / ${NACRE_TEST_SCALE:-1} + 2))); do
  { nacre run --rm busybox true || echo "run $i exited with $?" >>"$T/failures"; } &
done
wait
# Side by side, one's end meets the other's beginning again and again.
for _ in 1 2 3 4; do
  for i in $(seq $((40 / ${NACRE_TEST_SCALE:-1}))); do
    nacre run --rm busybox true || echo "run $i of a series exited with $?" >>"$T/failures"
  done &
done
wait
[ ! -f "$T/failures" ] || fail "$(cat "$T/failures")"

nothing_left() {
  [ -z "$(nacre ps -aq)" ] &&
    [ -z "$(find "$NACRE_DATA_DIR/containers" -mindepth 1 -type d)" ] &&
    [ -z "$(ls "$NACRE_STATE_DIR/runtime" 2>/dev/null)" ] &&
    [ -z "$(find /sys/fs/cgroup -path "*$NACRE_CGROUP_PARENT*" -type d 2>/dev/null)" ] &&
    [ -z "$(grep -l 'fuse.nacre-fs nacre ' /proc/[0-9]*/mountinfo 2>/dev/null)" ] &&
    [ "$(connections)" -le "$connections_before" ] &&
    [ "$(fds)" -le "$fds_before" ]
}
eventually "nothing left (daemon descriptors $fds_before, now $(fds))" nothing_left
