# SPDX-License-Identifier: Apache-2.0
# What larger programs make of the view, beside what the cgroup says: node, java, sysstat, htop, stress-ng.
. "$TESTS/lib.sh"
not_emulated "node and java"
root=$(debian_root debian-programs procps sysstat stress-ng htop nodejs default-jre-headless) ||
  skip "no Debian root with these programs: mmdebstrap or its mirror is missing"
disk=$(mktemp -d /var/tmp/nacre-test.XXXXXX) # not on tmpfs
trap 'nacre rm --force --all >/dev/null 2>&1 || true; rm -rf "$disk"' EXIT
memory=256 # MiB
cpus=$(nproc)
[ "$cpus" -le 2 ] || cpus=2
box=$(nacre run -d --name box --memory ${memory}m --cpus 1.5 -v "$disk:/disk" "$root" sh -c "while sleep 1; do :; done")
inside() { nacre exec box "$@"; }
usage() { cgroup_value "$box" memory memory.usage_in_bytes memory.current; }
cpu_time() { # microseconds
  cgroup_value "$box" cpuacct cpuacct.usage cpu.stat | awk '$1 == "usage_usec" {print $2; exit} NF == 1 {print int($1 / 1000)}'
}
now() { date +%s%6N; }
# has WHAT PATTERN TEXT
has() { printf '%s\n' "$3" | grep -Eq -- "$2" || fail "$1: want $2 in: $3"; }

equal "node" "$(inside node -e 'const os = require("os"), fs = require("fs")
console.log(os.cpus().length, os.totalmem() >> 20, os.freemem() <= os.totalmem(), os.freemem() > os.totalmem() / 4, os.uptime() < 60,
  os.loadavg().every(load => load < 8), fs.readFileSync("/proc/meminfo", "utf8").endsWith(" kB\n"))')" "$cpus $memory true true true true true"

cat >"$T/Look.java" <<'JAVA'
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
public class Look {
  public static void main(String[] arguments) {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long free = system.getFreeMemorySize() >> 20, total = system.getTotalMemorySize() >> 20;
    System.out.println(Runtime.getRuntime().availableProcessors() + " " + total + " " + (free > 0 && free < total) + " "
        + (Runtime.getRuntime().maxMemory() >> 20 <= total) + " " + (system.getSystemLoadAverage() < 8));
  }
}
JAVA
nacre exec -i box sh -c 'cat >/tmp/Look.java' <"$T/Look.java"
equal "java" "$(inside java /tmp/Look.java)" "$cpus $memory true true true"

# sysstat: memory is what the limit leaves.
sar=$(inside env LC_ALL=C sar -r 1 1)
has "sar's CPUs" "\($cpus CPU\)" "$sar"
free=$(printf '%s\n' "$sar" | awk '/^Average/ {print $2}')
within "sar: kbmemfree" "$free" $((memory * 1024 - $(usage) / 1024 - 16384)) $((memory * 1024 - $(usage) / 1024 + 16384))
within "sar: processes" "$(inside env LC_ALL=C sar -q 1 1 | awk '/^Average/ {print $3}')" 2 9
equal "sar: huge pages" "$(inside env LC_ALL=C sar -H 1 1 | awk '/^Average/ {print $2 + $3}')" \
  "$(awk '/^HugePages_Total/ {pages = $2} /^Hugepagesize/ {print pages * $2}' /proc/meminfo)"

# What mpstat and iostat call busy is what the cgroup was charged in that time.
inside stress-ng --cpu "$cpus" --timeout 30 >"$T/stress" 2>&1 &
stress=$!
eventually "load" inside pgrep -x stress-ng-cpu
before=$(cpu_time) begun=$(now)
mpstat=$(inside env LC_ALL=C mpstat -P ALL 3 1)
charged=$(cpu_time) ended=$(now)
busy=$(printf '%s\n' "$mpstat" | awk '/^Average: +all/ {print int($3 + $4 + $5 + 0.5)}')
want=$(((charged - before) * 100 / (ended - begun) / cpus))
within "mpstat: busy" "$busy" $((want - 8)) $((want + 8))
equal "mpstat: CPUs" "$(printf '%s\n' "$mpstat" | grep -cE '^Average: +[0-9]')" "$cpus"
before=$(cpu_time) begun=$(now)
iostat=$(inside env LC_ALL=C iostat -c -y 3 1)
charged=$(cpu_time) ended=$(now)
busy=$(printf '%s\n' "$iostat" | awk '/avg-cpu/ {getline; print int($1 + $2 + $3 + 0.5)}')
want=$(((charged - before) * 100 / (ended - begun) / cpus))
within "iostat: busy" "$busy" $((want - 8)) $((want + 8))
# Disks are those that the container uses, and nobody else's traffic.
inside dd if=/dev/zero of=/disk/file bs=1M count=4 oflag=direct 2>/dev/null || echo "not tested: a disk with traffic: $disk takes no direct writes"
equal "iostat: disks" "$(inside env LC_ALL=C iostat -d -k | awk 'NF == 8 && $1 != "Device" {print $1, $6, $7}' | sort)" \
  "$(inside awk '{print $3, int($6 / 2), int($10 / 2)}' /proc/diskstats | sort)"
equal "disks" "$(inside ls /sys/block | sort)" "$(inside awk '{print $3}' /proc/diskstats | sort)"
inside pkill -x stress-ng
wait "$stress" || true

# htop draws on a terminal.
inside sh -c 'cd /tmp; (sleep 2; printf q; sleep 1) | TERM=linux script -qfc "stty cols 160 rows 30; htop -C -d 5" out >/dev/null
  sed "s/\x1b\[[0-9;?]*[a-zA-Z]/ /g; s/\x0f//g" out' >"$T/htop" || fail "htop: $(cat "$T/htop")"
# Between what it has drawn before and what it draws again are blanks.
has "htop: memory" "[0-9.]+ *M */${memory}M" "$(cat "$T/htop")"
has "htop: processes" "Tasks: +(1?[0-9]) *," "$(cat "$T/htop")"

# A share of the memory is one of the container's: what takes most of it is not killed.
inside stress-ng --vm 1 --vm-bytes 60% --vm-keep --timeout 2 >"$T/stress" 2>&1 || fail "stress-ng: $(cat "$T/stress")"
equal "killed for want of memory" "$(inside awk '/^oom_kill/ {print $2}' /proc/vmstat)" 0
inside stress-ng --cpu -1 --timeout 1 >"$T/stress" 2>&1 || fail "stress-ng: $(cat "$T/stress")"
has "stress-ng: as many hogs as CPUs" "dispatching hogs: $cpus cpu" "$(cat "$T/stress")"
