# SPDX-License-Identifier: Apache-2.0
# What a container can see and do: namespaces, mounts, rights, limits.
. "$TESTS/runtime_lib.sh"
make_rootfs

# inside BUNDLE COMMAND: a shell command in a container of the bundle
inside() {
  python3 - "$T/$1/config.json" "$2" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["process"]["args"] = ["sh", "-c", sys.argv[2]]
json.dump(c, open(sys.argv[1], "w"))
PY
  rt run --bundle "$T/$1" "c$$" </dev/null
}

# --- namespaces
bundle plain 'namespace("time"); l["timeOffsets"] = {"boottime": {"secs": 1000000}, "monotonic": {"secs": 5}}'
theirs=$(inside plain 'for n in mnt uts ipc net pid cgroup time; do readlink /proc/self/ns/$n; done')
for name in mnt uts ipc net pid cgroup time; do
  echo "$theirs" | grep -qx "$(readlink /proc/self/ns/$name | sed 's/[][]/\\&/g')" && fail "the $name namespace is the host's"
done
equal "count of namespaces" "$(echo "$theirs" | wc -l)" 7
equal "user namespace is shared" "$(inside plain 'readlink /proc/self/ns/user')" "$(readlink /proc/self/ns/user)"
equal "hostname" "$(inside plain hostname)" nacre
equal "pid 1" "$(inside plain 'echo $$')" 1
equal "cgroup root" "$(inside plain "cut -d: -f3 /proc/self/cgroup | sort -u")" /
inside plain 'ip addr show lo' | grep -q 'LOOPBACK,UP' || fail "lo is down"
up=$(inside plain 'cut -d. -f1 /proc/uptime')
within "uptime in the time namespace" "$up" $(($(cut -d. -f1 /proc/uptime) + 999990)) $(($(cut -d. -f1 /proc/uptime) + 1000010))

# namespaces to join by path
unshare --net --uts sleep 1000 &
other=$!
eventually "other namespaces" sh -c "[ \"\$(readlink /proc/$other/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]"
bundle joined "namespace('network', path='/proc/$other/ns/net'); namespace('uts', path='/proc/$other/ns/uts'); del c['hostname']"
equal "joined network" "$(inside joined 'readlink /proc/self/ns/net')" "$(readlink /proc/$other/ns/net)"
# also from a user namespace of one's own, where the host's can no longer be joined
bundle joinedmapped "namespace('network', path='/proc/$other/ns/net'); namespace('uts', path='/proc/$other/ns/uts'); del c['hostname']
namespace('user')
l['uidMappings'] = l['gidMappings'] = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]"
chmod 755 "$T"
equal "joined network and a new user namespace" "$(inside joinedmapped 'readlink /proc/self/ns/net; id -u')" "$(readlink /proc/$other/ns/net; echo 0)"
kill $other
bundle sleeper 'p["args"] = ["sleep", "1000"]'
rt run -d --bundle "$T/sleeper" other </dev/null >/dev/null 2>&1
bundle joinedpid "namespace('pid', path='/proc/$(pid_of other)/ns/pid')"
equal "joined pid namespace" "$(inside joinedpid 'readlink /proc/self/ns/pid')" "$(readlink "/proc/$(pid_of other)/ns/pid")"
rt delete -f other
bundle nowhere "namespace('network', path='/proc/self/ns/nothing')"
refuses 1 'network namespace /proc/self/ns/nothing does not exist' nacre-runtime --root "$T/rt" run --bundle "$T/nowhere" x
bundle confused "namespace('network', path='/proc/self/ns/ipc')"
refuses 1 'network namespace /proc/self/ns/ipc is not a network namespace' nacre-runtime --root "$T/rt" run --bundle "$T/confused" x
bundle nofile "namespace('network', path='/etc/passwd')"
refuses 1 'network namespace /etc/passwd is not a network namespace' nacre-runtime --root "$T/rt" run --bundle "$T/nofile" x

# --- a user namespace
bundle user "
namespace('user')
l['uidMappings'] = l['gidMappings'] = [{'containerID': 0, 'hostID': 100000, 'size': 65536}]"
chmod 755 "$T"
equal "root inside" "$(inside user 'id -u')" 0
equal "map" "$(inside user 'tr -s " " </proc/self/uid_map')" " 0 100000 65536"
equal "devices of a user namespace" "$(inside user 'echo x >/dev/null && head -c 3 /dev/zero | wc -c && test -c /dev/tty && echo tty')" "$(printf '3\ntty')"
rt run -d --bundle "$T/user" u </dev/null >/dev/null 2>&1 && rt delete -f u
sed -i 's/"sh", "-c", "[^]]*/"sleep", "1000"/' "$T/user/config.json"
rt run -d --bundle "$T/user" u </dev/null >/dev/null 2>&1
equal "on the host" "$(stat -c %u /proc/"$(pid_of u)")" 100000
equal "exec joins it" "$(rt exec u id -u)" 0
bundle joineduser "
for kind, file in [('user', 'user'), ('pid', 'pid'), ('network', 'net')]: namespace(kind, path='/proc/$(pid_of u)/ns/' + file)"
equal "joined with its pid namespace" "$(inside joineduser 'tr -s " " </proc/self/uid_map; readlink /proc/self/ns/pid; cat /proc/1/comm')" \
  "$(printf ' 0 100000 65536\n%s\nsleep' "$(readlink "/proc/$(pid_of u)/ns/pid")")"
rt delete -f u
if (ulimit -Hn 200000) 2>/dev/null && [ "$(ulimit -Hn)" -lt 200000 ]; then
  sed -i 's/"noNewPrivileges"/"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 150000, "hard": 200000}], "noNewPrivileges"/' "$T/user/config.json"
  equal "a raised limit in a user namespace" "$(inside user 'ulimit -Hn; ulimit -Sn' | tr '\n' ' ')" "200000 150000 "
fi

# --- propagation of the root
for kind in shared rshared slave private; do
  bundle "root-$kind" "l['rootfsPropagation'] = '$kind'"
  shared=$(inside "root-$kind" "awk '\$5 == \"/\"' /proc/self/mountinfo" | grep -c ' shared:' || true)
  case $kind in *shared) wanted=1 ;; *) wanted=0 ;; esac
  equal "rootfsPropagation $kind" "$shared" "$wanted"
done

# --- mounts
mkdir "$T/source" "$T/rootfs/copied"
echo data >"$T/source/file"
echo base >"$T/rootfs/copied/base"
ln -s /etc/made "$T/rootfs/dangling"
ln -s ../../../../../../outside "$T/rootfs/escape"
bundle mounts "
c['mounts'] += [
 {'destination': '/new/deep', 'type': 'bind', 'source': '$T/source', 'options': ['rbind', 'ro']},
 {'destination': '/dangling', 'type': 'bind', 'source': '$T/source/file', 'options': ['bind']},
 {'destination': '/escape/dir', 'type': 'bind', 'source': '$T/source', 'options': ['bind', 'nosuid', 'nodev', 'noexec']},
 {'destination': '/copied', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['tmpcopyup', 'size=1m', 'nosuid']}]
c['root']['readonly'] = True"
equal "bind, read-only" "$(inside mounts 'cat /new/deep/file; echo x >/new/deep/file || echo refused' 2>/dev/null)" "$(printf 'data\nrefused')"
equal "bind on a dangling symlink" "$(inside mounts 'cat /etc/made')" data
equal "a symlink cannot leave the root" "$(inside mounts 'cat /outside/dir/file')" data
[ ! -e "$T/outside" ] && [ ! -e /outside ] || fail "a mount target was made on the host"
equal "tmpcopyup" "$(inside mounts 'cat /copied/base; echo y >/copied/new && cat /copied/new')" "$(printf 'base\ny')"
equal "read-only root" "$(inside mounts 'echo x >/root-file || echo refused' 2>/dev/null)" refused
inside mounts 'grep " /escape/dir \| /outside/dir " /proc/self/mountinfo' | grep -q 'nosuid,nodev,noexec' || fail "options are not set"
[ ! -e "$T/rootfs/copied/new" ] || fail "tmpcopyup wrote to the root"
equal "the host sees none of it" "$(grep -c " $T/rootfs" /proc/self/mountinfo || true)" 0

bundle procbind "c['mounts'].append({'destination': '/proc/sys/kernel/core_pattern', 'type': 'bind', 'source': '$T/source/file', 'options': ['bind']})"
refuses 1 'a bind mount inside /proc is not allowed' nacre-runtime --root "$T/rt" run --bundle "$T/procbind" x
ln -s /proc/sys/kernel "$T/rootfs/hidden"
bundle procsneak "c['mounts'].append({'destination': '/hidden/core_pattern', 'type': 'bind', 'source': '$T/source/file', 'options': ['bind']})"
refuses 1 "inside the container's /proc" nacre-runtime --root "$T/rt" run --bundle "$T/procsneak" x
bundle procok "c['mounts'].append({'destination': '/proc/meminfo', 'type': 'bind', 'source': '$T/source/file', 'options': ['bind']})"
equal "lxcfs-like mounts" "$(inside procok 'cat /proc/meminfo')" data
mkdir -p "$T/evil/bin"
cp "$T/rootfs/bin/busybox" "$T/evil/bin/sh"
ln -s /tmp "$T/evil/proc"
bundle evilproc "c['root']['path'] = '$T/evil'; p['args'] = ['sh', '-c', 'true']"
refuses 1 'must be a directory, not a symlink' nacre-runtime --root "$T/rt" run --bundle "$T/evilproc" x
rm "$T/evil/proc"
mkdir "$T/target"
ln -s "$T/target" "$T/evil/dev"
equal "an absolute /dev symlink stays inside" "$(inside evilproc 'test -c /dev/null && echo device' 2>&1)" device
[ -z "$(ls -A "$T/target")" ] || fail "the host's directory was filled through /dev"

# --- masked and read-only paths, /dev
equal "masked file" "$(inside plain 'wc -c </proc/keys')" 0
equal "masked directory" "$(inside plain 'ls -A /sys/firmware; touch /sys/firmware/x 2>/dev/null || echo refused')" refused
equal "read-only path" "$(inside plain 'echo 1 >/proc/sys/kernel/panic || echo refused' 2>/dev/null)" refused
equal "sysfs is read-only" "$(inside plain 'echo 1 >/sys/kernel/uevent_seqnum || echo refused' 2>/dev/null)" refused
equal "devices" "$(inside plain 'cd /dev; for d in null zero full random urandom tty; do test -c $d || echo $d; done; readlink ptmx; readlink fd')" "$(printf 'pts/ptmx\n/proc/self/fd')"
bundle devices 'l["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 3, "gid": 4}]'
equal "a device of the specification" "$(inside devices 'stat -c "%F %a %u %g %t:%T" /dev/mine')" "character special file 640 3 4 1:5"

# Without a list of devices a container gets the default ones; its root may not use another.
bundle forbidden '
del l["resources"]
l["devices"] = [{"path": "/dev/log-of-the-kernel", "type": "c", "major": 1, "minor": 11}]'
equal "a device that is not on the list" "$(inside forbidden 'head -c 1 /dev/log-of-the-kernel 2>&1 >/dev/null; head -c 1 /dev/zero | wc -c' | sed 's/.*: //')" \
  "$(printf 'Operation not permitted\n1')"

# --- a container cannot write to its runtime (CVE-2019-5736)
rt create --bundle "$T/sleeper" gated </dev/null >/dev/null 2>&1
equal "its name" "$(cat "/proc/$(pid_of gated)/comm")" nacre-runtime
equal "the program, once it runs no more" "$(python3 - "$(pid_of gated)" "$T/rt" <<'PY'
import errno, os, subprocess, sys
program = os.open(f"/proc/{sys.argv[1]}/exe", os.O_PATH)
subprocess.run(["nacre-runtime", "--root", sys.argv[2], "delete", "-f", "gated"], check=True)
try:
    os.open(f"/proc/self/fd/{program}", os.O_WRONLY)
    print("writable")
except OSError as error:
    print(errno.errorcode[error.errno])
PY
)" EROFS

# --- rights
equal "capabilities" "$(inside plain 'grep CapEff /proc/self/status | cut -f2')" 00000000800405fb
equal "bounding set" "$(inside plain 'grep CapBnd /proc/self/status | cut -f2')" 00000000800405fb
equal "inheritable is empty" "$(inside plain 'grep CapInh /proc/self/status | cut -f2')" 0000000000000000
equal "no_new_privs" "$(inside plain 'grep NoNewPrivs /proc/self/status | cut -f2')" 1
equal "seccomp" "$(inside plain 'grep Seccomp: /proc/self/status | cut -f2')" 2
equal "no new user namespaces" "$(inside plain 'unshare -U true || echo refused' 2>/dev/null)" refused
equal "no mounts" "$(inside plain 'mount -t tmpfs none /tmp || echo refused' 2>/dev/null)" refused
bundle rights '
p["noNewPrivileges"] = False
p["user"] = {"uid": 1000, "gid": 1000, "umask": 0o27, "additionalGids": [10]}
p["capabilities"] = {k: ["CAP_NET_BIND_SERVICE"] for k in ["bounding", "effective", "permitted", "inheritable", "ambient"]}
p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]
p["oomScoreAdj"] = 321
p["cwd"] = "/home/user"'
equal "user" "$(inside rights 'id -u; id -g; id -G; umask; pwd; echo $HOME')" "$(printf '1000\n1000\n1000 10\n0027\n/home/user\n/home/user')"
equal "ambient capability" "$(inside rights 'grep CapAmb /proc/self/status | cut -f2')" 0000000000000400
equal "the filter without no_new_privs" "$(inside rights 'grep -E "NoNewPrivs|Seccomp:" /proc/self/status | cut -f2')" "$(printf '0\n2')"
equal "rlimits" "$(inside rights 'ulimit -Sn; ulimit -Hn')" "$(printf '100\n200')"
equal "oom score" "$(inside rights 'cat /proc/self/oom_score_adj')" 321
bundle sysctl 'l["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1"}'
equal "sysctl" "$(inside sysctl 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced')" "$(printf '1\n1')"

# --- nothing of ours leaks: descriptors, a working directory outside of the root (CVE-2024-21626)
# 3 is ls's own, of the directory it reads
equal "descriptors" "$(inside plain 'exec ls /proc/self/fd' 3</dev/null 4</etc/passwd | tr '\n' ' ')" "0 1 2 3 "
for fd in 3 4 5 6 7 8 9 10 11 12 15 20; do
  bundle "cwd$fd" "p['cwd'] = '/proc/self/fd/$fd'"
  exits 1 nacre-runtime --root "$T/rt" run --bundle "$T/cwd$fd" x
done
rt run -d --bundle "$T/sleeper" x </dev/null >/dev/null 2>&1
for fd in 3 4 5 6 7 8 9 10; do exits 255 nacre-runtime --root "$T/rt" exec --cwd "/proc/self/fd/$fd" x pwd; done
equal "exec: capabilities" "$(rt exec --cap CAP_SYS_CHROOT x grep CapInh /proc/self/status | cut -f2)" 0000000000000000
equal "exec: namespaces" "$(rt exec x sh -c 'for n in mnt uts ipc net pid cgroup; do readlink /proc/self/ns/$n; done')" \
  "$(for n in mnt uts ipc net pid cgroup; do readlink "/proc/$(pid_of x)/ns/$n"; done)"
equal "exec: filter" "$(rt exec x grep Seccomp: /proc/self/status | cut -f2)" 2
equal "exec: cgroup" "$(rt exec x cut -d: -f3 /proc/self/cgroup | sort -u)" /
rt delete -f x

# --- limits are in the kernel
bundle limits '
p["args"] = ["sleep", "1000"]
l["resources"] = {"memory": {"limit": 67108864}, "pids": {"limit": 33}, "cpu": {"quota": 50000, "period": 100000, "cpus": "0"}}'
rt run -d --bundle "$T/limits" lim </dev/null >/dev/null 2>&1
first_of() { for f in "$@"; do [ -f "$f" ] && cat "$f" && return 0; done; fail "none of $*"; }
memory=$(cgroup_dir lim memory)
equal "memory limit" "$(first_of "$memory/memory.limit_in_bytes" "$memory/memory.max")" 67108864
pids=$(cgroup_dir lim pids)
equal "pids limit" "$(cat "$pids/pids.max")" 33
cpu=$(cgroup_dir lim cpu)
if [ -f "$cpu/cpu.max" ]; then equal "quota" "$(cat "$cpu/cpu.max")" "50000 100000"; else equal "quota" "$(cat "$cpu/cpu.cfs_quota_us")" 50000; fi
equal "cpus" "$(rt exec lim nproc)" 1
grep -qx "$(pid_of lim)" "$memory/cgroup.procs" || fail "the init is not in its cgroup"
rt delete -f lim
bundle hog '
l["resources"] = {"memory": {"limit": 33554432}}
p["args"] = ["sh", "-c", "x=$(head -c 200000000 /dev/zero | tr \"\\\\0\" a); echo survived"]'
code=0
rt run --bundle "$T/hog" hog </dev/null >"$T/out" 2>&1 || code=$?
equal "out of memory" "$code $(grep -c survived "$T/out" || true)" "137 0"

# --- seccomp without no_new_privs, and a profile that kills
bundle profile 'l["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]}'
inside profile 'mkdir /tmp/x 2>&1' >"$T/out" 2>&1 && fail "mkdir is allowed"
grep -q 'Cannot assign requested address' "$T/out" || fail "errnoRet: $(cat "$T/out")"
nothing_left "isolation"
