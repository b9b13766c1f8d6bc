# SPDX-License-Identifier: Apache-2.0
# What programs of all kinds make of the view: they report the container's limits, each in its own way.
. "$TESTS/lib.sh"
debian=$(debian_root) || skip "no Debian root: mmdebstrap or its mirror is missing" # procps, util-linux, python3
trap 'nacre rm --force --all >/dev/null 2>&1 || true' EXIT

cat >"$T/look" <<'LOOK'
echo "lscpu $(lscpu | awk '/^CPU\(s\):/ {print $2} /^On-line/ {print $4} /^Core\(s\) per/ {print $4} /^Socket\(s\)/ {print $2} /^NUMA node0/ {print $4}' | xargs)"
echo "python $(python3 -c 'import os; name = os.sysconf
print(os.cpu_count(), name("SC_NPROCESSORS_ONLN"), name("SC_NPROCESSORS_CONF"), name("SC_PHYS_PAGES") * name("SC_PAGESIZE") >> 20, len(os.sched_getaffinity(0)))')"
echo "getconf $(getconf _NPROCESSORS_ONLN) $(($(getconf _PHYS_PAGES) * $(getconf PAGESIZE) >> 20))"
echo "free $(free -m | awk '/^Mem:/ {print $2, ($3 + $4 + $6 >= $2 - 2)}')"
vmstat -w 1 2 | tail -n 1 | awk '{sum = $13 + $14 + $15 + $16 + $17; print "vmstat", ($4 <= 96 * 1024), ($1 <= 4), (sum >= 98 && sum <= 102)}'
vmstat -s -S K | awk '/total memory/ {print "vmstat-s", $1} /boot time/ {print "boot", (systime() - $1 < 60)}'
top -b -n 1 -1 | awk '/^%Cpu/ {cpus++} /^MiB Mem/ {print "top-memory", $4} /^Tasks/ {print "top-tasks", ($2 <= 6)} END {print "top", cpus}'
echo "ps $(ps -o etimes= -p 1 | awk '{print ($1 < 60)}') $(ps -eo pid= | wc -l | awk '{print ($1 <= 6)}')"
echo "uptime $(uptime -p | grep -cE '^up( [0-9] minutes?)?$')"
echo "slabtop $(slabtop -o 2>&1 | grep -c Active)"
pgrep -c . >/dev/null && echo pgrep
LOOK
nacre run --rm --memory 96m --cpus 1 -v "$T/look:/look:ro" "$debian" sh /look >"$T/out" 2>"$T/err" || fail "$(cat "$T/out" "$T/err")"
cat >"$T/wanted" <<'WANTED'
lscpu 1 0 1 1 0
python 1 1 1 96 1
getconf 1 96
free 96 1
vmstat 1 1 1
vmstat-s 98304
boot 1
top-tasks 1
top-memory 96.0
top 1
ps 1 1
uptime 1
slabtop 4
pgrep
WANTED
equal "what programs say" "$(cat "$T/out" "$T/err")" "$(cat "$T/wanted")"
