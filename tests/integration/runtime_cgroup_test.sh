# SPDX-License-Identifier: Apache-2.0
# The limits of a config.json hold on whatever cgroups this machine has, and leave nothing behind.
. "$TESTS/runtime_lib.sh"
make_rootfs
run() { nacre-runtime --root "$T/rt" run --bundle "$T/$1" "$1"; }

# The value of a limit as the kernel has it: value ID CONTROLLER V1-FILE V2-FILE
value() { cgroup_value "$1" "$2" "$3" "$4"; }

# --- memory: who takes more is killed, and 137 says so
bundle greedy 'p["args"] = ["tail", "-c", "200m", "/dev/zero"]; l["resources"] = {"memory": {"limit": 32 << 20}}'
exits 137 run greedy
nothing_left "out of memory"
bundle modest 'p["args"] = ["dd", "if=/dev/zero", "of=/dev/null", "bs=8M", "count=4"]; l["resources"] = {"memory": {"limit": 32 << 20}}'
exits 0 run modest

# --- pids: the limit is for the container and not for the host
# The inner shell gives up at the limit, and what it has started stays.
bundle forks 'p["args"] = ["sh", "-c", "sh -c \"for i in 1 2 3 4; do for j in 1 2 3 4 5; do sleep 1000 & done; done\"; exec sleep 1000"]; l["resources"] = {"pids": {"limit": 16}}'
rt run -d --bundle "$T/forks" forks </dev/null >/dev/null 2>&1
eventually "the pids limit is reached" sh -c "[ \"\$(cat '$(cgroup_dir forks pids)/pids.current')\" -ge 15 ]"
equal "pids limit" "$(value forks pids pids.max pids.max)" 16
within "processes" "$(value forks pids pids.current pids.current)" 15 16
/bin/true || fail "the host cannot fork"
exits 0 rt delete --force forks
nothing_left "pids limit"

# --- cpu: half of one, by the cgroup's own accounting against the time that passed
bundle busy 'p["args"] = ["sh", "-c", "while :; do :; done"]; l["resources"] = {"cpu": {"quota": 50000, "period": 100000, "shares": 512}}'
rt run -d --bundle "$T/busy" busy </dev/null >/dev/null 2>&1
used() { # nanoseconds
  if [ -f "/sys/fs/cgroup/cpuacct$NACRE_CGROUP_PARENT/busy/cpuacct.usage" ]; then
    cat "/sys/fs/cgroup/cpuacct$NACRE_CGROUP_PARENT/busy/cpuacct.usage"
  else
    awk '/^usage_usec/ {printf "%.0f\n", $2 * 1000}' "$(cgroup_dir busy cpu)/cpu.stat"
  fi
}
sleep 0.5
from=$(date +%s%N) used_from=$(used)
sleep 3
to=$(date +%s%N) used_to=$(used)
# On a busy machine it may get less, never more.
within "percent of a CPU" $(((used_to - used_from) * 100 / (to - from))) 5 60
throttled=$(awk '/^nr_throttled/ {print $2}' "$(cgroup_dir busy cpu)/cpu.stat")
[ "$throttled" -gt 0 ] || fail "a busy loop was never throttled"
case $(value busy cpu cpu.shares cpu.weight) in 512 | 59) ;; *) fail "cpu shares" ;; esac
exits 0 rt delete --force busy
nothing_left "cpu quota"

# --- cpuset: the kernel schedules it there only
bundle pinned 'p["args"] = ["grep", "Cpus_allowed_list", "/proc/self/status"]; l["resources"] = {"cpu": {"cpus": "0", "mems": "0"}}'
exits 0 run pinned
equal "cpuset" "$(awk '{print $2}' "$T/out")" 0
bundle nowhere 'p["args"] = ["true"]; l["resources"] = {"cpu": {"cpus": "4000"}}'
refuses 1 'cpuset cpus 4000: write "4000" to .*cpuset.cpus: .*name CPUs that are online' nacre-runtime --root "$T/rt" run --bundle "$T/nowhere" nowhere
nothing_left "cpuset"

# --- devices: the usual ones work, others do not, whoever makes a node. The node has a driver's number
# and no device, so who may open it is told that there is none.
devices='names = p["capabilities"]["bounding"] + ["CAP_MKNOD"]
p["capabilities"] = {s: names for s in ("bounding", "effective", "permitted")}
c["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "none", "options": ["dev"]})
p["args"] = ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=1 count=1 2>/dev/null && mknod /tmp/node c 10 250 && cat /tmp/node"]
'
bundle refused "$devices"'l["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}'
exits 1 run refused
grep -q "Operation not permitted" "$T/err" || fail "a device without a rule: $(cat "$T/out" "$T/err")"
bundle allowed "$devices"'l["resources"] = {"devices": [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 250, "access": "r"}]}'
exits 1 run allowed
grep -q "No such device" "$T/err" || fail "a device with a rule: $(cat "$T/out" "$T/err")"
nothing_left "devices"

# --- what the kernel refuses is named, with what to do, and nothing is left
bundle quota 'p["args"] = ["true"]; l["resources"] = {"cpu": {"quota": 10}}'
refuses 1 'cpu quota 10: .*Invalid argument \(a quota is 1000 microseconds or more' nacre-runtime --root "$T/rt" run --bundle "$T/quota" quota
bundle tiny 'p["args"] = ["true"]; l["resources"] = {"memory": {"limit": 1}}'
refuses 1 'memory limit 1: too small' nacre-runtime --root "$T/rt" run --bundle "$T/tiny" tiny
bundle swap 'p["args"] = ["true"]; l["resources"] = {"memory": {"limit": 64 << 20, "swap": 32 << 20}}'
refuses 1 'less than the memory limit' nacre-runtime --root "$T/rt" run --bundle "$T/swap" swap
bundle outside 'p["args"] = ["true"]; l["cgroupsPath"] = "/"'
refuses 1 'root cgroup' nacre-runtime --root "$T/rt" run --bundle "$T/outside" outside
nothing_left "refused limits"

# --- a cgroup with somebody else in it is left alone
bundle sleeper 'p["args"] = ["sleep", "1000"]'
rt run -d --bundle "$T/sleeper" first </dev/null >/dev/null 2>&1
bundle intruder 'import os
p["args"] = ["true"]; l["cgroupsPath"] = os.environ["NACRE_CGROUP_PARENT"] + "/first"'
refuses 1 'already has processes' nacre-runtime --root "$T/rt" run --bundle "$T/intruder" second
is_status first running || fail "the first container was hurt"
exits 0 rt delete --force first

# --- exec in a container that hands controllers down on v2: its own cgroup takes no process then
v2=$(awk '/ - cgroup2 / {print $5; exit}' /proc/self/mountinfo)
bundle split 'p["args"] = ["sleep", "1000"]; l["resources"]["pids"] = {"limit": 50}'
rt run -d --bundle "$T/split" split </dev/null >/dev/null 2>&1
controller=$(cut -d ' ' -f 1 "${v2:-/nowhere}$NACRE_CGROUP_PARENT/cgroup.controllers" 2>/dev/null || true)
if [ -n "$controller" ]; then
  mkdir "$v2$NACRE_CGROUP_PARENT/split/init"
  init=$(pid_of split)
  echo "$init" >"$v2$NACRE_CGROUP_PARENT/split/init/cgroup.procs"
  echo "+$controller" >"$v2$NACRE_CGROUP_PARENT/cgroup.subtree_control"
  echo "+$controller" >"$v2$NACRE_CGROUP_PARENT/split/cgroup.subtree_control"
  sh -c "echo \$\$ >$v2$NACRE_CGROUP_PARENT/split/cgroup.procs" 2>/dev/null && fail "the cgroup still takes processes"
  equal "exec beside the init" "$(rt exec split sh -c 'grep ^0:: /proc/self/cgroup')" "$(rt exec split sh -c 'grep ^0:: /proc/1/cgroup')"
fi
exits 0 rt delete --force split
nothing_left "a container with cgroups of its own"

# --- a fork bomb is killed whole
bundle bomb 'p["args"] = ["sh", "-c", "b() { b | b & }; b; sleep 1000"]; l["resources"] = {"pids": {"limit": 64}}'
rt run -d --bundle "$T/bomb" bomb </dev/null >/dev/null 2>&1
sleep 1
exits 0 rt delete --force bomb
nothing_left "fork bomb"
