# SPDX-License-Identifier: Apache-2.0
# Bad input: one clear line, exit status 1, and nothing left behind.
. "$TESTS/runtime_lib.sh"
make_rootfs

# rejects PATTERN BUNDLE-CHANGE
count=0
rejects() {
  count=$((count + 1))
  bundle "bad$count" "$2"
  refuses 1 "$1" nacre-runtime --root "$T/rt" run --bundle "$T/bad$count" bad
  nothing_left "$1"
}

mkdir "$T/empty" "$T/broken" "$T/array"
refuses 1 "bundle $T/empty has no config.json" nacre-runtime --root "$T/rt" run --bundle "$T/empty" bad
refuses 1 "bundle $T/nowhere has no config.json" nacre-runtime --root "$T/rt" create --bundle "$T/nowhere" bad
printf '{"ociVersion": "1.2.0", ' >"$T/broken/config.json"
refuses 1 'config.json: malformed JSON at byte' nacre-runtime --root "$T/rt" run --bundle "$T/broken" bad
printf '[]' >"$T/array/config.json"
refuses 1 'config.json: not a JSON object' nacre-runtime --root "$T/rt" run --bundle "$T/array" bad
nothing_left "unreadable configuration"

rejects 'linux.namespaces\[.\].type: unknown namespace "quantum"' 'l["namespaces"].append({"type": "quantum"})'
rejects 'a second "pid" namespace' 'l["namespaces"].append({"type": "pid"})'
rejects 'needs a mount namespace' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "mount"]'
rejects 'process.args must not be empty' 'p["args"] = []'
rejects 'process.args must be an array' 'p["args"] = "sh"'
rejects 'process.args\[1\] must be a string' 'p["args"] = ["sh", 5]'
rejects 'process.cwd must be absolute' 'p["cwd"] = "tmp"'
rejects 'process.user.uid is out of range' 'p["user"]["uid"] = 4294967296'
rejects 'ociVersion "2.0.0" is not supported' 'c["ociVersion"] = "2.0.0"'
rejects 'ociVersion is missing' 'del c["ociVersion"]'
rejects 'root filesystem .*/missing does not exist' 'c["root"]["path"] = "missing"'
rejects 'process is missing' 'del c["process"]'
rejects 'unknown capability "CAP_NONSENSE"' 'p["capabilities"]["bounding"] = ["CAP_NONSENSE"]'
rejects 'RLIMIT_NONSENSE' 'p["rlimits"] = [{"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1}]'
rejects 'mounts\[.*\].destination must be absolute' 'c["mounts"].append({"destination": "x", "type": "tmpfs"})'
rejects 'mount source /no/such/source does not exist' 'c["mounts"].append({"destination": "/x", "type": "bind", "source": "/no/such/source", "options": ["bind"]})'
rejects 'mount nonsensefs on /x: ' 'c["mounts"].append({"destination": "/x", "type": "nonsensefs", "source": "none"})'
rejects 'mount tmpfs on /x: .*bogus' 'c["mounts"].append({"destination": "/x", "type": "tmpfs", "source": "none", "options": ["bogus=1"]})'
rejects 'mounts\[.\].uidMappings is not supported' 'c["mounts"][0]["uidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]'
rejects 'kernel.core_pattern" belongs to no namespace' 'l["sysctl"] = {"kernel.core_pattern": "|x"}'
rejects 'is not the name of a setting' 'l["sysctl"] = {"kernel.shm_rmid_forced=1+kernel.core_pattern": "1"}'
rejects 'needs a network namespace' 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}; l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "network"]'
rejects 'hooks.prestart\[0\].path must be absolute' 'c["hooks"] = {"prestart": [{"path": "x"}]}'
rejects 'need a user namespace' 'l["uidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1}]'
rejects 'linux.timeOffsets need a new time namespace' 'l["timeOffsets"] = {"boottime": {"secs": 1}}'
rejects 'seccomp' 'l["seccomp"]["defaultAction"] = "SCMP_ACT_NONSENSE"'
rejects 'is for the systemd driver' 'l["cgroupsPath"] = "system.slice:nacre:x"'
rejects 'AppArmor off|apparmor|label "exec no-such-profile"' 'p["apparmorProfile"] = "no-such-profile"'
rejects 'linux.rootfsPropagation: unknown value' 'l["rootfsPropagation"] = "sideways"'
rejects 'executable file not found' 'p["args"] = ["nonsense"]'
rejects 'enter /etc/passwd|Not a directory' 'p["cwd"] = "/etc/passwd"'
rejects 'memory' 'l["resources"] = {"memory": {"limit": 1}}'

# names and command lines
bundle good 'p["args"] = ["true"]'
for id in '' . .. ../x a/b 'a b' "$(printf 'x%.0s' $(seq 300))"; do
  exits 1 nacre-runtime --root "$T/rt" run --bundle "$T/good" -- "$id"
  equal "lines of error for id [$id]" "$(wc -l <"$T/err")" 1
done
refuses 1 'does not exist' nacre-runtime --root "$T/rt" start nobody
refuses 1 'does not exist' nacre-runtime --root "$T/rt" kill nobody
refuses 255 'does not exist' nacre-runtime --root "$T/rt" exec nobody true
refuses 1 'systemd cgroup driver is not supported' nacre-runtime --systemd-cgroup --root "$T/rt" run --bundle "$T/good" x
refuses 1 'root must not be /' nacre-runtime --root / list
exits 1 nacre-runtime
exits 1 nacre-runtime nonsense
exits 1 nacre-runtime --root "$T/rt" run --nonsense x
nothing_left "bad command lines"

# a cgroup that is in use already belongs to somebody else
bundle holder 'p["args"] = ["sleep", "1000"]'
rt run -d --bundle "$T/holder" holder </dev/null >/dev/null 2>&1
python3 - "$T/good/config.json" "$NACRE_CGROUP_PARENT/holder" <<'PY'
import json, sys
c = json.load(open(sys.argv[1]))
c["linux"]["cgroupsPath"] = sys.argv[2]
json.dump(c, open(sys.argv[1], "w"))
PY
refuses 1 'cgroup' nacre-runtime --root "$T/rt" run --bundle "$T/good" thief
is_status holder running || fail "the holder of the cgroup is gone"
rt delete -f holder
nothing_left "at the end"
