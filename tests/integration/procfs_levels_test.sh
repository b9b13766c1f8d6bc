#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Limits at any level of nested slices as systemd makes them, what siblings use, and no limits at all.
command -v python3 >/dev/null || { echo "SKIP: needs python3"; exit 77; }
. "$TESTS/../support/cgroup.sh"
client="python3 -B $TESTS/../support/procfs_client.py"
parent=$NACRE_CGROUP_PARENT
top=$parent/top.slice
middle=$top/top-middle.slice
box=$middle/box.scope
sibling=$top/top-other.slice/other.scope
pids=
clean() {
  for pid in $pids; do kill "$pid" 2>/dev/null && wait "$pid" || :; done
  umount -R "$T/view" 2>/dev/null || :
  remove_cgroup "$parent"
}
trap clean EXIT
fail() { echo "$*"; exit 1; }
expect() { [ "$1" = "$2" ] || fail "$3: expected \"$2\", got \"$1\""; }
later() { sleep 0.05; } # than the life of a view
field() { awk -v key="$1:" '$1 == key {print $2}' "view/proc/meminfo"; }
cpus() { grep -c '^cpu[0-9]' view/proc/stat; }
set_value() { # CGROUP CONTROLLER V1-FILE V1-VALUE V2-FILE V2-VALUE
  directory=$(cgroup_mount "$2")$1
  if is_v2 "$directory"; then echo "$6" >"$directory/$5"; else echo "$4" >"$directory/$3"; fi
}
memory() { set_value "$1" memory memory.limit_in_bytes "$2" memory.max "$([ "$2" = -1 ] && echo max || echo "$2")"; }
quota() { set_value "$1" cpu cpu.cfs_quota_us "$2" cpu.max "$([ "$2" = -1 ] && echo max || echo "$2") 100000"; }

for cgroup in "$box" "$sibling"; do
  for controller in memory cpu cpuset pids cpuacct blkio; do
    mount=$(cgroup_mount $controller) || continue
    if is_v2 "$mount"; then
      cgroup_enable "$mount" "$(dirname "$cgroup")" "memory cpu cpuset pids hugetlb"
      mkdir -p "$mount$cgroup"
    else
      directory=$mount
      for part in $(echo "$cgroup" | tr / ' '); do
        above=$directory directory=$directory/$part
        mkdir -p "$directory"
        [ $controller != cpuset ] || for file in cpuset.cpus cpuset.mems; do cat "$above/$file" >"$directory/$file"; done
      done
    fi
  done
done
nacre-procfs
sleep 1000 &
init=$!
pids=$init
join_cgroup "$box" $init
mkdir view
mount -t tmpfs view view
$client add box $init "$box" "$T/view" >/dev/null

# Without any limit: the machine's, by rule.
expect "$(field MemTotal)" "$(awk '/^MemTotal/ {print $2}' /proc/meminfo)" "memory without limits"
expect "$(cpus)" "$(nproc)" "CPUs without limits"
expect "$(field SwapTotal)" "$(awk '/^SwapTotal/ {print $2}' /proc/meminfo)" "swap without limits"

# The least of all levels counts, wherever it is.
memory "$top" $((200 << 20)); later
expect "$(field MemTotal)" $((200 << 10)) "a limit at the top"
memory "$middle" $((160 << 20)); later
expect "$(field MemTotal)" $((160 << 10)) "a limit in the middle"
memory "$box" $((180 << 20)); later
expect "$(field MemTotal)" $((160 << 10)) "a larger limit of its own"
memory "$box" $((120 << 20)); later
expect "$(field MemTotal)" $((120 << 10)) "a limit of its own"

# What a sibling uses of the limit they share is not free.
sh -c 'read -r self _ </proc/self/stat; . "$1"; join_cgroup "$2" "$self"; exec python3 -c "
import time
held = bytearray(100 << 20)
for at in range(0, len(held), 4096): held[at] = 1
print(flush=True); time.sleep(1000)"' sh "$TESTS/../support/cgroup.sh" "$sibling" >held &
pids="$pids $!"
for _ in $(seq 300); do [ ! -s held ] || break; sleep 0.1; done
[ -s held ] || fail "the sibling does not hold its memory"
later
[ "$(field MemFree)" -le $((100 << 10)) ] || fail "free although a sibling uses it: $(field MemFree)"
[ "$(field MemAvailable)" -le $((100 << 10)) ] || fail "available although a sibling uses it: $(field MemAvailable)"
[ "$(field MemFree)" -ge $((60 << 10)) ] || fail "less free than the top has left: $(field MemFree)"
expect "$(field MemTotal)" $((120 << 10)) "the total beside a sibling"

# Threads are held up above memory.high as if there were no more.
if is_v2 "$(cgroup_mount memory)$middle"; then
  echo $((64 << 20)) >"$(cgroup_mount memory)$middle/memory.high"; later
  expect "$(field MemTotal)" $((64 << 10)) "memory.high"
  echo max >"$(cgroup_mount memory)$middle/memory.high"; later
  expect "$(field MemTotal)" $((120 << 10)) "no memory.high"
  if [ "$(field SwapTotal)" -gt 0 ]; then
    echo $((32 << 20)) >"$(cgroup_mount memory)$middle/memory.swap.max"; later
    expect "$(field SwapTotal)" $((32 << 10)) "a limit of swap in the middle"
  fi
fi

# Huge pages: the machine's, up to the least of all levels. The virtual machine has nobody else to take them from.
if [ -n "${NACRE_TEST_VM:-}" ]; then
  hugetlb=$(cgroup_mount hugetlb)$middle
  echo 12 >/proc/sys/vm/nr_hugepages; later
  expect "$(field HugePages_Total) $(field HugePages_Free) $(field Hugetlb)" "12 12 24576" "the machine's huge pages"
  echo $((10 << 20)) >"$hugetlb/hugetlb.2MB.max"; later
  expect "$(field HugePages_Total) $(field HugePages_Free) $(field Hugetlb)" "5 5 10240" "a limit of huge pages in the middle"
  echo 0 >/proc/sys/vm/nr_hugepages; later
  expect "$(field HugePages_Total) $(field Hugetlb)" "0 0" "no huge pages"
fi

# Fractional quotas, at any level.
if [ "$(nproc)" -gt 1 ]; then
  quota "$top" 190000; later
  expect "$(cpus)" 2 "a quota of 1.9 at the top"
  quota "$middle" 100000; later
  expect "$(cpus)" 1 "a quota of 1 in the middle"
  quota "$middle" 100001; later
  expect "$(cpus)" 2 "a quota of hardly more than 1 in the middle"
  quota "$box" 1000; later
  expect "$(cpus)" 1 "a quota of 0.01 of its own"
  quota "$box" -1; later
  expect "$(cpus)" 2 "no quota of its own"

  # A set with a hole: the container's CPUs are numbered from 0, unless the machine's numbers are asked for.
  if directory=$(cgroup_mount cpuset)$box && [ -e "$directory/cpuset.cpus" ]; then
    echo 1 >"$directory/cpuset.cpus"; later
    expect "$(cpus)" 1 "a set of one CPU"
    expect "$(cat view/sys/devices/system/cpu/online)" 0 "its number"
    expect "$(grep ^processor view/proc/cpuinfo | tr -d '[:blank:]')" processor:0 "its number in cpuinfo"
    python3 -B - "$TESTS/../support" $init "$box" <<'P' || fail "the machine's numbers"
import os, sys
sys.path.insert(0, sys.argv[1])
import procfs_client
answer, mounts = procfs_client.Client().add("physical", int(sys.argv[2]), sys.argv[3], physical_cpus=True)
at = f"/proc/self/fd/{mounts[answer['targets'].index('/sys/devices/system/cpu')]}"
with open(f"{at}/online") as file: assert file.read() == "1\n"
assert [name for name in os.listdir(at) if name.startswith("cpu")] == ["cpu1"], os.listdir(at)
with open(f"/proc/self/fd/{mounts[answer['targets'].index('/proc/stat')]}") as file: assert "\ncpu1 " in file.read()
P
  fi
fi

# A v2 cgroup that gets its controllers while the container runs, as when systemd is told of a first limit.
mount=$(cgroup_mount memory)
if is_v2 "$mount" && [ "$(cgroup_mount cpu)" = "$mount" ]; then
  memory "$top" $((200 << 20)); quota "$top" -1
  late=$top/top-late.slice/late.scope
  mkdir -p "$mount$late"
  sleep 1000 &
  pids="$pids $!"
  echo $! >"$mount$late/cgroup.procs"
  umount -R view && mount -t tmpfs view view
  $client add late $! "$late" "$T/view" >/dev/null
  [ ! -e "$mount$late/memory.max" ] || fail "the late cgroup has its controllers already"
  expect "$(field MemTotal)" $((200 << 10)) "the limit above a cgroup without controllers"
  cgroup_enable "$mount" "$(dirname "$late")" "memory cpu"
  memory "$late" $((48 << 20)); quota "$late" 100000
  sleep 1.1 # Container::kSearchAgain
  expect "$(field MemTotal) $(cpus)" "$((48 << 10)) 1" "limits of controllers that came later"
  echo "-memory -cpu" >"$mount$(dirname "$late")/cgroup.subtree_control"; later
  expect "$(field MemTotal) $(cpus)" "$((200 << 10)) $(nproc)" "the limit above after the controllers went"
  $client remove late >/dev/null
fi
$client remove box >/dev/null
$client remove physical >/dev/null
kill "$(cat "$NACRE_PROCFS_DIR/pid")"
