# SPDX-License-Identifier: Apache-2.0
# Seccomp profiles: the default one stops what it should and nothing else, a config.json's own one is
# followed to the letter, for the first process and for those of exec.
. "$TESTS/runtime_lib.sh"
make_rootfs
run() { nacre-runtime --root "$T/rt" run --bundle "$T/$1" "$1"; }
grep -q ^Seccomp: /proc/self/status || skip "this kernel has no seccomp"

# --- the default profile; making a user namespace needs no capability, so only it can refuse
bundle default 'p["args"] = ["unshare", "-U", "true"]'
exits 1 run default
grep -q "Operation not permitted" "$T/err" || fail "unshare: $(cat "$T/err")"
bundle without 'p["args"] = ["unshare", "-U", "true"]; del l["seccomp"]'
code=0
run without >"$T/out" 2>&1 </dev/null || code=$?
[ $code = 0 ] || grep -q "No space left" "$T/out" || fail "without a profile unshare works: $(cat "$T/out")"

bundle mode 'p["args"] = ["sh", "-c", "grep -E \"^(Seccomp|NoNewPrivs):\" /proc/self/status | cut -f 2 | tr \"\\\\n\" \" \""]'
exits 0 run mode
equal "no_new_privs and seccomp mode" "$(cat "$T/out")" "1 2 "

# Ordinary life goes on.
bundle ordinary 'p["args"] = ["sh", "-c", "set -e; mkdir /tmp/a; echo x >/tmp/a/f; ln /tmp/a/f /tmp/a/g; mv /tmp/a/g /tmp/a/h; chmod 600 /tmp/a/h; chown 1:1 /tmp/a/h; mkfifo /tmp/a/p; rm -r /tmp/a; sleep 0.01 & wait; kill -0 $$; linux32 true; su user -s /bin/sh -c id >/dev/null; chroot / true; date >/dev/null; free >/dev/null; nproc >/dev/null; ps >/dev/null; df >/dev/null; ifconfig lo >/dev/null"]
c["root"]["readonly"] = False
c["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "none"})'
exits 0 run ordinary

# --- capabilities open what belongs to them
bundle admin 'p["args"] = ["unshare", "-m", "true"]
names = p["capabilities"]["bounding"] + ["CAP_SYS_ADMIN"]
p["capabilities"] = {s: names for s in ("bounding", "effective", "permitted")}'
exits 1 run admin
grep -q "Operation not permitted" "$T/err" || fail "the config.json's profile does not follow its capabilities by itself"

# --- a profile of the user's own
profile() { # NAME ARGS RULES [DEFAULT]
  bundle "$1" "p['args'] = $2; l['seccomp'] = {'defaultAction': '${4:-SCMP_ACT_ALLOW}', 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] if __import__('platform').machine() == 'x86_64' else ['SCMP_ARCH_AARCH64'], 'syscalls': $3}"
}
profile errno "['mkdir', '/tmp/x']" "[{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 28}]"
exits 1 run errno
grep -q "No space left on device" "$T/err" || fail "errnoRet: $(cat "$T/err")"

profile unknown "['true']" "[{'names': ['call_of_the_future', 'mkdir'], 'action': 'SCMP_ACT_ERRNO'}]"
exits 0 run unknown

profile killed "['uname']" "[{'names': ['uname'], 'action': 'SCMP_ACT_KILL_PROCESS'}]"
exits 159 run killed # 128 + SIGSYS

# Signal 10 may not be sent, others may.
profile argument "['sh', '-c', 'kill -0 \$\$ && kill -10 \$\$ || echo refused']" \
  "[{'names': ['kill', 'tkill', 'tgkill'], 'action': 'SCMP_ACT_ERRNO', 'args': [{'index': 1, 'value': 10, 'op': 'SCMP_CMP_EQ'}]}]"
exits 0 run argument
equal "argument rule" "$(grep -c refused "$T/out")" 1

refusals() { refuses 1 "$2" nacre-runtime --root "$T/rt" run --bundle "$T/$1" "$1"; }
profile nonsense "['true']" "[{'names': ['mkdir'], 'action': 'SCMP_ACT_PERHAPS'}]"
refusals nonsense 'unknown action "SCMP_ACT_PERHAPS"'
profile operator "['true']" "[{'names': ['mkdir'], 'action': 'SCMP_ACT_ERRNO', 'args': [{'index': 0, 'value': 1, 'op': 'SCMP_CMP_ABOUT'}]}]"
refusals operator 'SCMP_CMP_ABOUT'
nothing_left "refused profiles"

# --- exec gets the same filter
profile shared "['sleep', '1000']" "[{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_ERRNO', 'errnoRet': 28}]"
rt run -d --bundle "$T/shared" shared </dev/null >/dev/null 2>&1
exits 1 rt exec shared mkdir /tmp/x
grep -q "No space left on device" "$T/err" || fail "exec: $(cat "$T/err")"
exits 0 rt delete --force shared

# --- calls answered by an agent
cat >"$T/agent.py" <<'PY'
import array, fcntl, json, socket, struct, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(sys.argv[1])
server.listen(1)
print("ready", flush=True)
connection, _ = server.accept()
data, rights, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
listener = array.array("i", rights[0][2])[0]
state = json.loads(data)
assert state["fds"] == ["seccompFd"] and state["metadata"] == "hello" and state["pid"] > 0, state
request = bytearray(80)
fcntl.ioctl(listener, 0xC0502100, request)  # SECCOMP_IOCTL_NOTIF_RECV
identity = struct.unpack_from("Q", request)[0]
answer = bytearray(struct.pack("QqiI", identity, 0, -18, 0))  # EXDEV
fcntl.ioctl(listener, 0xC0182101, answer)  # SECCOMP_IOCTL_NOTIF_SEND
PY
python3 "$T/agent.py" "$T/agent.sock" >"$T/agent.out" 2>&1 &
agent=$!
eventually "the agent listens" grep -q ready "$T/agent.out"
profile notified "['mkdir', '/tmp/x']" "[{'names': ['mkdir', 'mkdirat'], 'action': 'SCMP_ACT_NOTIFY'}]"
python3 - "$T/notified/config.json" "$T/agent.sock" <<'PY'
import json, sys
config = json.load(open(sys.argv[1]))
config["linux"]["seccomp"].update(listenerPath=sys.argv[2], listenerMetadata="hello")
json.dump(config, open(sys.argv[1], "w"))
PY
exits 1 run notified
wait $agent || fail "agent: $(cat "$T/agent.out")"
grep -qi "cross-device\|invalid cross" "$T/err" || fail "the agent's answer: $(cat "$T/err")"
nothing_left "seccomp"
