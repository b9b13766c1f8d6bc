# SPDX-License-Identifier: Apache-2.0
# A container sees its own limits and its own time, whichever tool asks: busybox (which
# never reads /proc for memory and uptime) and procps and glibc from a Debian root.
. "$TESTS/lib.sh"

box() { nacre run --rm --memory 256m --cpus 1 busybox "$@"; }

equal "busybox free" "$(box free -m | awk '/^Mem:/ {print $2}')" 256
equal "busybox nproc" "$(box nproc)" 1
equal "busybox nproc --all" "$(box nproc --all)" 1
equal "processors in cpuinfo" "$(box grep -c ^processor /proc/cpuinfo)" 1
equal "CPU lines in stat" "$(box grep -c '^cpu[0-9]' /proc/stat)" 1
equal "MemTotal" "$(box awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 262144
equal "two CPUs" "$(nacre run --rm --cpus 1.5 busybox sh -c 'nproc; grep -c ^processor /proc/cpuinfo' | tr '\n' ' ')" "$(
  n=$(nproc); [ "$n" -gt 2 ] && n=2; echo "$n $n ")"

# The daemon serves every container: it is in nobody's cgroup, whoever started the first container.
equal "cgroups of nacre-procfs" "$(grep -v ':/$' "/proc/$(cat "$T/procfs/pid")/cgroup" || true)" ""

# The container's age, not the machine's.
awk '{exit !($1 > 30)}' /proc/uptime || skip "the machine is up for less than the test can tell apart"
age=$(box cut -d. -f1 /proc/uptime)
within "age by /proc/uptime" "$age" 0 15
box uptime | grep -Eq 'up (0 min|[01] min)' || fail "busybox uptime: $(box uptime)"

# Memory in use counts: a container that holds 100 MB has less free.
free_before=$(box sh -c 'awk "/^MemAvailable/ {print \$2}" /proc/meminfo')
free_after=$(box sh -c 'head -c 100m /dev/zero >/dev/shm/fill 2>/dev/null || dd if=/dev/zero of=/dev/shm/fill bs=1M count=50 2>/dev/null; awk "/^MemAvailable/ {print \$2}" /proc/meminfo')
[ "$free_after" -lt $((free_before - 40000)) ] || fail "MemAvailable does not fall: $free_before then $free_after"

# The machine's list of counters, with the container's numbers.
equal "the names in vmstat" "$(box cut -d' ' -f1 /proc/vmstat | cksum)" "$(cut -d' ' -f1 /proc/vmstat | cksum)"
# shellcheck disable=SC2016
equal "free pages in vmstat and meminfo" "$(box sh -c 'awk -v page="$(getconf PAGESIZE 2>/dev/null || echo 4096)" "
  /^nr_free_pages / {pages = \$2 * page / 1024} /^MemFree:/ {free = \$2}
  END {difference = free - pages; print (difference < 4096 && difference > -4096)}" /proc/vmstat /proc/meminfo')" 1
[ "$(box awk '/^pgfault / {print $2}' /proc/vmstat)" -lt 100000 ] || fail "pgfault is the machine's"
equal "killed for want of memory" "$(nacre run --rm --memory 32m busybox sh -c \
  'dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; awk "/^oom_kill / {print \$2}" /proc/vmstat')" 1
# Nothing is said of the machine where nobody counts for the container.
equal "interrupts" "$(box grep -c : /proc/interrupts)" 0
equal "softirqs" "$(box awk 'NR > 1 {sum += $2} END {print NR, sum}' /proc/softirqs)" "11 0"
equal "free pages in zoneinfo" "$(box awk '/pages free/ {print ($3 > 0 && $3 * 4 <= 262144)}' /proc/zoneinfo)" 1
[ ! -e /proc/slabinfo ] || equal "lines of slabinfo" "$(box sh -c 'wc -l </proc/slabinfo')" 2
if [ -e /proc/pressure/cpu ]; then
  equal "pressure" "$(box sh -c 'cut -d= -f1 /proc/pressure/memory /proc/pressure/io' | tr '\n' ' ')" \
    "some avg10 full avg10 some avg10 full avg10 "
  total() { sed -n 's/^some.*total=//p'; }
  [ "$(box cat /proc/pressure/cpu | total)" -lt "$(total </proc/pressure/cpu)" ] || fail "pressure is the machine's"
fi
if [ -d /sys/devices/system/node/node0 ]; then
  equal "nodes" "$(box sh -c 'cd /sys/devices/system/node; echo node*; cat online node0/cpulist' | tr '\n' ' ')" "node0 0 0 "
  equal "memory of the node" "$(box awk '/MemTotal/ {print $4}' /sys/devices/system/node/node0/meminfo)" 262144
fi

root=$(debian_root) || skip "no Debian root: mmdebstrap or its mirror is missing (busybox part passed)"
debian() { nacre run --rm --memory 256m --cpus 1 "$root" "$@"; }
equal "procps free" "$(debian free -m | awk '/^Mem:/ {print $2}')" 256
equal "coreutils nproc" "$(debian nproc)" 1
equal "coreutils nproc --all" "$(debian nproc --all)" 1
equal "getconf online" "$(debian getconf _NPROCESSORS_ONLN)" 1
equal "os.cpu_count" "$(debian python3 -c 'import os; print(os.cpu_count())')" 1
equal "physical pages" "$(debian python3 -c 'import os; print(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20)')" 256
equal "CPU lines of top" "$(debian sh -c 'HOME=/tmp top -bn1 -1 | grep -c "^%Cpu"')" 1
equal "CPUs of lscpu" "$(debian lscpu -p=CPU | grep -c '^[0-9]')" 1
equal "total memory of vmstat" "$(debian vmstat -s | awk '/total memory/ {print $1}')" 262144
cp "$TESTS/pressure_trigger.py" "$T/trigger.py"
# As the kernel says to those without CAP_SYS_RESOURCE, windows are whole multiples of two seconds.
if [ -e /proc/pressure/cpu ]; then
  code=0
  nacre run --rm --memory 256m --cpus 1 -v "$T/trigger.py:/trigger.py" "$root" python3 /trigger.py /proc/pressure || code=$?
  case $code in 0) ;; 77) echo "not tested: waiting for pressure: the container has none" ;; *) fail "waiting for pressure" ;; esac
fi
debian vmstat 1 2 >/dev/null || fail "vmstat fails"
debian uptime | grep -Eq 'up [01] min' || fail "procps uptime: $(debian uptime)"
started=$(debian sh -c 'date -d "$(ps -o lstart= -p 1)" +%s')
within "start time of the init by ps" $(($(date +%s) - started)) -2 15
