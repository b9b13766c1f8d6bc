# SPDX-License-Identifier: Apache-2.0
# SIGKILL for any of the processes at a random moment: the next run, or rm -f, cleans up,
# and nobody else hangs.
. "$TESTS/lib.sh"

# The processes of this test, by what they run.
ours() { # NAME
  for p in /proc/[0-9]*; do
    [ "$(readlink "$p/exe" 2>/dev/null)" = "$(readlink -f "$BIN/$1")" ] || continue
    tr '\0' '\n' <"$p/environ" 2>/dev/null | grep -qx "NACRE_CGROUP_PARENT=$NACRE_CGROUP_PARENT" && echo "${p#/proc/}"
  done
  true
}

# A moment somewhere in the life of a container, by the round's number.
moment() { sleep "$(awk -v i="$1" 'BEGIN {printf "%.3f", (i * 37 % 100) / 1000.0}')"; }

for i in $(seq $((12 / ${NACRE_TEST_SCALE:-1} + 2))); do
  nacre run --rm busybox sh -c 'i=0; while [ $i -lt 30 ]; do echo $i >/file; i=$((i+1)); done; sleep 0.1' >/dev/null 2>&1 &
  supervisor=$!
  moment "$i"
  kill -KILL $supervisor 2>/dev/null || true
  wait $supervisor 2>/dev/null || true
done
equal "a run after killed runs" "$(timeout 60 nacre run --rm busybox echo fine)" fine
equal "containers after killed runs" "$(nacre ps -aq)" ""

for i in $(seq $((6 / ${NACRE_TEST_SCALE:-1} + 1))); do
  nacre run -d --name "victim$i" busybox sh -c 'while :; do echo x >>/file; done' >/dev/null
  init=$(nacre ps -q | head -n 1)
  pid=$(nacre-runtime --root "$NACRE_STATE_DIR/runtime" state "$init" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
  moment "$i"
  kill -KILL "$pid"
  eventually "the end of victim$i" sh -c "nacre ps -a | grep -q 'exited (137).*victim$i'"
  exits 0 nacre rm "victim$i"
done

for i in $(seq $((6 / ${NACRE_TEST_SCALE:-1} + 1))); do
  nacre run -d --name "orphan$i" busybox sh -c 'while :; do echo x >>/file || exit 8; sleep 0.01; done' >/dev/null
  moment "$i"
  server=$(ours nacre-fs)
  [ -n "$server" ] || fail "no nacre-fs runs"
  # shellcheck disable=SC2086
  kill -KILL $server
  # The host and other containers go on.
  timeout 20 ls / >/dev/null || fail "ls hangs after nacre-fs was killed"
  equal "another container" "$(timeout 60 nacre run --rm busybox echo fine)" fine
  exits 0 timeout 60 nacre rm -f "orphan$i"
done

# A supervisor in the background killed: its container is removed by force, or stops.
nacre run -d --name lost busybox sleep 1000 >/dev/null
for pid in $(ours nacre); do kill -KILL "$pid"; done
nacre ps | grep -q 'running.*lost' || fail "a container ends with its supervisor: $(nacre ps -a)"
exits 0 timeout 60 nacre rm -f lost
equal "containers at the end" "$(nacre ps -aq)" ""
