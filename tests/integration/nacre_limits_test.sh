# SPDX-License-Identifier: Apache-2.0
# Limits hold, for the container and for what its file system daemon does on its behalf.
. "$TESTS/lib.sh"

# On a slow machine all of it is smaller.
memory=$((256 / (1 + ${NACRE_TEST_SCALE:-1} / 4))) # MiB
more=$((memory * 5 / 2))

# More memory than there is for it: killed, and reported as such.
exits 137 nacre run --rm --memory "${memory}m" --memory-swap "${memory}m" busybox tail -c "${more}m" /dev/zero

# A fork bomb stays in its box: this script still forks while it rages.
nacre run -d --name bomb --pids-limit 64 busybox sh -c 'b() { b | b & }; b; sleep 1000' >/dev/null
sleep 2
for _ in 1 2 3 4 5; do /bin/true || fail "the host cannot fork any more"; done
inside=$(cgroup_value "$(nacre ps -q)/payload" pids pids.current pids.current)
[ "$inside" -le 64 ] || fail "processes in the container: $inside"
exits 0 nacre rm -f bomb

# Half a CPU, by the cgroup's own accounting, against the time that passed.
nacre run -d --name half --cpus 0.5 busybox sh -c 'while :; do :; done' >/dev/null
id=$(nacre ps -q)
usage() { # nanoseconds
  if [ -f "/sys/fs/cgroup/cpuacct$NACRE_CGROUP_PARENT/$id/cpuacct.usage" ]; then
    cat "/sys/fs/cgroup/cpuacct$NACRE_CGROUP_PARENT/$id/cpuacct.usage"
  else
    awk '/^usage_usec/ {printf "%.0f\n", $2 * 1000}' "/sys/fs/cgroup$NACRE_CGROUP_PARENT/$id/cpu.stat"
  fi
}
sleep 1
from=$(date +%s%N) used_from=$(usage)
sleep 4
to=$(date +%s%N) used_to=$(usage)
percent=$(((used_to - used_from) * 100 / (to - from)))
within "percent of a CPU" "$percent" 40 60
exits 0 nacre rm -f half

# More files than a container has memory: page cache of the daemon counts as the container's. On a
# disk: what is written to a tmpfs is memory that can never be given back.
NACRE_DATA_DIR=$(mktemp -d /var/tmp/nacre-test.XXXXXX)
trap 'rm -rf --one-file-system "$NACRE_DATA_DIR"' EXIT
[ "$(stat -f -c %T "$NACRE_DATA_DIR")" != tmpfs ] || skip "/var/tmp is a tmpfs (the other limits hold)"
exits 0 nacre run --name writer --memory "${memory}m" busybox dd if=/dev/zero of=/big bs=1M count="$more"
exits 0 nacre rm writer
nacre run -d --name writer --memory "${memory}m" busybox sh -c "dd if=/dev/zero of=/big bs=1M count=$more 2>/dev/null && echo done; sleep 1000" >/dev/null
id=$(nacre ps -q)
peak=0
for _ in $(seq 300); do
  now=$(cgroup_value "$id" memory memory.usage_in_bytes memory.current)
  [ "$now" -gt "$peak" ] && peak=$now
  nacre logs writer | grep -q 'done' && break
  sleep 0.1
done
nacre logs writer | grep -q 'done' || fail "$more MiB were not written"
[ "$peak" -le $((memory * 1024 * 1024)) ] || fail "memory of container and daemon: $peak"
# The daemon is in the container's cgroup, beside the payload.
[ -n "$(cgroup_value "$id/fs" memory cgroup.procs cgroup.procs)" ] || fail "the file system daemon is not accounted to the container"
exits 0 nacre rm -f writer
