#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sysinfo(2) and sched_getaffinity(2) of a registered container: the same numbers as its files.
command -v python3 >/dev/null || { echo "SKIP: needs python3"; exit 77; }
command -v busybox >/dev/null || { echo "SKIP: needs busybox"; exit 77; }
. "$TESTS/../support/cgroup.sh"
client="python3 -B $TESTS/../support/procfs_client.py"
trapped="python3 -B $TESTS/../support/procfs_trap.py"
# Runs a command that sees the container's files in place of the machine's.
inside() {
  unshare -m sh -c 'for file in "$T"/view/proc/*; do mount --bind "$file" "/proc/${file##*/}"; done
    exec "$@"' inside "$@"
}
cgroup=$NACRE_CGROUP_PARENT/box
clean() {
  kill "$init" 2>/dev/null && wait "$init" || :
  umount -R "$T/view" 2>/dev/null || :
  remove_cgroup "$NACRE_CGROUP_PARENT"
}
trap clean EXIT

fail() { echo "$*"; exit 1; }

limited_cgroup "$cgroup" $((256 << 20)) 90000
sleep 1000 &
init=$!
join_cgroup "$cgroup" $init
nacre-procfs
mkdir view
mount -t tmpfs view view
$client add box $init "$cgroup" "$T/view" >/dev/null

# Totals and loads from the system call, the rest from the file: one coherent table.
inside $trapped box busybox free -m >free.txt
cat free.txt
[ "$(awk '/^Mem:/ {print $2}' free.txt)" = 256 ] || fail "sysinfo: total is not 256 MB"
inside $trapped box busybox free -k >free.txt
total=$(awk '/^MemTotal:/ {print $2}' view/proc/meminfo)
[ "$(awk '/^Mem:/ {print $2}' free.txt)" = "$total" ] || fail "sysinfo and meminfo disagree: $total"

# Age: that of init, not of the machine.
$trapped box busybox uptime
machine=$(cut -d. -f1 /proc/uptime)
if [ "$machine" -gt 120 ]; then
  $trapped box busybox uptime | grep -q ' up 0 min\| up 1 min' || fail "uptime is not the container's"
fi
age=$($trapped box python3 -B -c 'import ctypes,struct
b = ctypes.create_string_buffer(128); ctypes.CDLL(None).sysinfo(b); print(struct.unpack_from("q", b)[0])')
file=$(cut -d. -f1 view/proc/uptime)
[ "$age" -ge "$file" ] && [ "$age" -le $((file + 2)) ] || fail "sysinfo says $age s, uptime $file s"

# One CPU by quota, whatever the machine has.
[ "$($trapped box nproc)" = 1 ] || fail "nproc is not 1"
[ "$($trapped box busybox nproc)" = 1 ] || fail "busybox nproc is not 1"
# What is seen can be set again.
$trapped box python3 -B -c 'import os; mask = os.sched_getaffinity(0); os.sched_setaffinity(0, mask); assert len(mask) == 1'

# A pointer to nowhere is the caller's mistake; too short a mask too.
$trapped box python3 -B - "$TESTS/../support" <<'P' || fail "errors differ from the kernel's"
import ctypes, errno, platform, sys
sys.path.insert(0, sys.argv[1])
from procfs_trap import NUMBERS
sysinfo, affinity = NUMBERS[platform.machine()][2:]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.syscall(sysinfo, ctypes.c_void_p(8)) == -1 and ctypes.get_errno() == errno.EFAULT, ctypes.get_errno()
assert libc.syscall(affinity, 0, 7, ctypes.create_string_buffer(64)) == -1 and ctypes.get_errno() == errno.EINVAL
assert libc.syscall(affinity, 0, 64, ctypes.create_string_buffer(64)) > 0
P

# Many callers at once, some killed while they wait.
for _ in 1 2 3 4 5 6 7 8; do
  (for _ in 1 2 3 4 5; do $trapped box busybox free >/dev/null || exit 1; done) &
  pids="${pids:-} $!"
done
timeout -s KILL 0.1 "$TESTS/../support/procfs_trap.py" box sh -c 'while :; do busybox free; done' >/dev/null 2>&1 || :
for pid in $pids; do wait "$pid" || fail "a caller failed"; done

# A listener that nobody is filtered by any more is let go; the container stays.
$client status
sleep 0.3
$client status | grep -q '"containers": 1' || fail "the container was forgotten with a listener"
# With its init it goes.
kill $init
wait $init 2>/dev/null || :
for _ in 1 2 3 4 5 6 7 8 9 10; do
  $client status | grep -q '"containers": 0' && break
  sleep 0.1
done
$client status | grep -q '"containers": 0' || fail "a dead container is still registered"
echo ok
