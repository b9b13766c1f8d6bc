# SPDX-License-Identifier: Apache-2.0
# A container's life as engines lead it: create, start, state, exec, kill, delete, and run.
. "$TESTS/runtime_lib.sh"
make_rootfs

# --- create, start, state, kill, delete
bundle sleeper 'p["args"] = ["sleep", "1000"]'
rt create --bundle "$T/sleeper" --pid-file "$T/pid" one </dev/null >"$T/out" 2>&1
[ ! -s "$T/out" ] || fail "create prints: $(cat "$T/out")"
equal "status after create" "$(status one)" created
equal "pid file" "$(cat "$T/pid")" "$(pid_of one)"
equal "the init's parent is the caller, not a daemon" "$(ls "$T/rt/one")" "$(printf 'config.json\ngate\nstate.json')"
refuses 1 'container with given ID already exists' nacre-runtime --root "$T/rt" create --bundle "$T/sleeper" one
rt start one
equal "status after start" "$(status one)" running
refuses 1 'cannot start an already running container' nacre-runtime --root "$T/rt" start one
refuses 1 'cannot delete container one that is not stopped: running' nacre-runtime --root "$T/rt" delete one
equal "list -q" "$(rt list -q)" one
rt list -f json | python3 -c 'import json,sys; l=json.load(sys.stdin); assert [x["id"] for x in l]==["one"], l'
equal "ps -f json" "$(rt ps --format json one)" "[$(pid_of one)]"

# --- exec
equal "exec prints" "$(rt exec one echo hello)" hello
exits 7 nacre-runtime --root "$T/rt" exec one sh -c 'exit 7'
exits 137 nacre-runtime --root "$T/rt" exec one sh -c 'kill -9 $$'
equal "options of the command are its own" "$(rt exec one echo -n --detach -x)" "--detach -x"
equal "exec --env --cwd --user" "$(rt exec -e A=b --cwd /tmp --user 1000:1000 one sh -c 'echo $A $(pwd) $(id -u):$(id -g) $HOME')" "b /tmp 1000:1000 /home/user"
refuses 255 'exec: "nonsense": executable file not found in \$PATH' nacre-runtime --root "$T/rt" exec one nonsense
refuses 255 'exec: "/etc/passwd": permission denied' nacre-runtime --root "$T/rt" exec one /etc/passwd
refuses 255 'exec: "/no/such": stat /no/such: no such file or directory' nacre-runtime --root "$T/rt" exec one /no/such
for user in 1x 0: 4294967296 -1 user; do
  refuses 255 'user' nacre-runtime --root "$T/rt" exec --user="$user" one true
done
cat >"$T/process.json" <<'JSON'
{"args": ["sh", "-c", "echo $FROM; id -G"], "cwd": "/tmp", "env": ["FROM=file", "PATH=/bin"],
 "user": {"uid": 5, "gid": 6, "additionalGids": [7, 8]}}
JSON
equal "exec --process" "$(rt exec --process "$T/process.json" one)" "$(printf 'file\n6 7 8')"
rt exec --detach --pid-file "$T/exec.pid" one sleep 500
[ -d "/proc/$(cat "$T/exec.pid")" ] || fail "exec --detach: no process"
equal "ps counts both" "$(rt ps -f json one | tr ',' '\n' | wc -l)" 2
rm "$T/exec.pid"
exits 255 nacre-runtime --root "$T/rt" exec --detach --pid-file "$T/exec.pid" one nonsense
[ ! -e "$T/exec.pid" ] || fail "a failed exec leaves a pid file"

# --- pause and resume
rt pause one
equal "paused" "$(status one)" paused
refuses 255 'cannot exec in a paused container' nacre-runtime --root "$T/rt" exec one true
rt resume one
equal "resumed" "$(status one)" running

# --- kill and delete; PID 1 has no handler for TERM, so KILL
rt kill one 0 2>/dev/null && fail "signal 0 is not a signal"
refuses 1 'unknown signal "NOSUCH"' nacre-runtime --root "$T/rt" kill one NOSUCH
rt kill one SIGKILL
eventually "stopped" is_status one stopped
refuses 1 'container not running' nacre-runtime --root "$T/rt" kill one 9
rt kill --all one 9
refuses 255 'container not running' nacre-runtime --root "$T/rt" exec one true
equal "pid of a stopped one" "$(pid_of one)" 0
rt delete one
refuses 1 'container "one" does not exist' nacre-runtime --root "$T/rt" state one
refuses 1 'container "one" does not exist' nacre-runtime --root "$T/rt" delete one
rt delete --force one
nothing_left "after delete"

# --- a created container may be deleted; a running one with --force
rt create --bundle "$T/sleeper" two </dev/null >/dev/null 2>&1
rt delete two
rt run -d --bundle "$T/sleeper" two </dev/null >/dev/null 2>&1
rt exec -d two sleep 1000
rt pause two
rt delete --force two
nothing_left "after delete --force of a paused one"

# --- run: exit codes and output
bundle exit 'p["args"] = ["sh", "-c", "echo out; echo err >&2; exit 42"]'
exits 42 nacre-runtime --root "$T/rt" run --bundle "$T/exit" three
equal "stdout" "$(cat "$T/out")" out
equal "stderr" "$(cat "$T/err")" err
bundle killed 'p["args"] = ["sh", "-c", "kill -9 $$; echo alive"]'
exits 0 nacre-runtime --root "$T/rt" run --bundle "$T/killed" three # pid 1 cannot kill itself
bundle missing 'p["args"] = ["nonsense"]'
refuses 1 'exec: "nonsense": executable file not found in \$PATH' nacre-runtime --root "$T/rt" run --bundle "$T/missing" three
bundle badscript 'p["args"] = ["/tmp/script"]'
printf '#!/no/interpreter\n' >"$T/rootfs/tmp/script"
chmod 755 "$T/rootfs/tmp/script"
refuses 1 'exec: "/tmp/script": no such file or directory' nacre-runtime --root "$T/rt" run --bundle "$T/badscript" three
nothing_left "after run"

# start reports what exec says
rt create --bundle "$T/badscript" four </dev/null >/dev/null 2>&1
refuses 1 'no such file or directory' nacre-runtime --root "$T/rt" start four
eventually "stopped" is_status four stopped
refuses 1 'cannot start a container that has stopped' nacre-runtime --root "$T/rt" start four
rt delete four

# --- descriptors for the command
bundle fds 'p["args"] = ["sh", "-c", "cat <&3; ls /proc/self/fd | wc -l"]'
echo preserved >"$T/file"
equal "--preserve-fds" "$(rt run --preserve-fds 1 --bundle "$T/fds" five 3<"$T/file" </dev/null)" "$(printf 'preserved\n5')"
refuses 1 'descriptor 3, to be preserved, is not open' nacre-runtime --root "$T/rt" run --preserve-fds 1 --bundle "$T/fds" five 3<&-

# --- hooks, each with the state on stdin
cat >"$T/hook" <<'HOOK'
#!/bin/sh
# $1: log, $2: name
{ printf '%s ' "$2"; cat | sed 's/.*"id":"\([^"]*\)".*"status":"\([^"]*\)".*/\1 \2/'; echo; } >>"$1"
HOOK
chmod 755 "$T/hook"
mkdir "$T/rootfs/hooks"
cp "$T/hook" "$T/rootfs/hooks/hook"
bundle hooks "
p['args'] = ['cat', '/hooks/log']
log = '$T/hooks.log'
def hook(name, path='$T/hook', file=log): return [{'path': path, 'args': ['hook', file, name]}]
c['hooks'] = {n: hook(n) for n in ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop']}
c['hooks']['startContainer'] = hook('startContainer', '/hooks/hook', '/hooks/log')"
equal "startContainer ran inside" "$(rt run --bundle "$T/hooks" six </dev/null)" "startContainer six creating"
equal "hooks" "$(cat "$T/hooks.log")" "$(printf 'prestart six creating\ncreateRuntime six creating\ncreateContainer six creating\npoststart six running\npoststop six stopped')"
bundle badhook "c['hooks'] = {'createRuntime': [{'path': '/bin/sh', 'args': ['sh', '-c', 'echo because >&2; exit 3']}]}"
refuses 1 'createRuntime hook /bin/sh: exit status 3: because' nacre-runtime --root "$T/rt" run --bundle "$T/badhook" seven
bundle slowhook "c['hooks'] = {'prestart': [{'path': '/bin/sleep', 'args': ['sleep', '1000'], 'timeout': 1}]}"
refuses 1 'prestart hook /bin/sleep: did not end within 1 s' nacre-runtime --root "$T/rt" run --bundle "$T/slowhook" seven
nothing_left "after hooks"

# --- a terminal: the master arrives on the socket, the command has a controlling terminal
cat >"$T/console.py" <<'PY'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1])
s.listen(1)
open(sys.argv[1] + ".ready", "w").close()
connection, _ = s.accept()
fds = array.array("i")
_, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_LEN(4))
fds.frombytes(ancillary[0][2])
text = b""
while True:
    try:
        part = os.read(fds[0], 4096)
    except OSError:
        break
    if not part:
        break
    text += part
sys.stdout.write(text.decode().replace("\r\n", "\n"))
PY
terminal() {
  rm -f "$T/console" "$T/console.ready"
  python3 "$T/console.py" "$T/console" >"$T/console.out" &
  reader=$!
  eventually "console socket" test -e "$T/console.ready"
}
bundle terminal 'p["terminal"] = True; p["consoleSize"] = {"height": 33, "width": 99}; p["args"] = ["sh", "-c", "tty; stty size; echo ok >/dev/tty; sleep 0.2"]'
refuses 1 'give a --console-socket' nacre-runtime --root "$T/rt" create --bundle "$T/terminal" eight
terminal
rt create --console-socket "$T/console" --bundle "$T/terminal" eight </dev/null
rt start eight
wait $reader
equal "terminal" "$(cat "$T/console.out")" "$(printf '/dev/pts/0\n33 99\nok')"
eventually "stopped" is_status eight stopped
rt delete eight
rt run -d --bundle "$T/sleeper" nine </dev/null >/dev/null 2>&1
terminal
rt exec --detach --tty --console-socket "$T/console" nine sh -c 'tty; sleep 0.2'
wait $reader
equal "exec terminal" "$(cat "$T/console.out")" /dev/pts/0
rt delete -f nine
bundle socket 'p["args"] = ["true"]'
refuses 1 'needs process.terminal' nacre-runtime --root "$T/rt" create --console-socket "$T/console" --bundle "$T/socket" eight

# --- every poststop hook runs, whatever the others do; a failing poststart hook ends the container
bundle hooked "
p['args'] = ['true']
c['hooks'] = {'poststop': [{'path': '/bin/false'}, {'path': '/bin/sh', 'args': ['sh', '-c', 'echo after >$T/poststop']}]}"
rt run --bundle "$T/hooked" hooked </dev/null
equal "poststop after a failing one" "$(cat "$T/poststop")" after
bundle poststart 'p["args"] = ["sleep", "1000"]; c["hooks"] = {"poststart": [{"path": "/bin/false"}]}'
rt create --bundle "$T/poststart" ps </dev/null >/dev/null 2>&1
refuses 1 'poststart hook /bin/false' nacre-runtime --root "$T/rt" start ps
eventually "ended by its hook" is_status ps stopped
rt delete ps

# --- an annotation of any length; a variable given twice
bundle large 'c["annotations"] = {"large": "x" * 300000}; p["args"] = ["sleep", "1000"]
c["hooks"] = {"createContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "[ $(wc -c) -gt 300000 ]"]}]}
p["env"] += ["TWICE=one", "OTHER=x", "TWICE=two"]'
rt run -d --bundle "$T/large" large </dev/null >/dev/null 2>&1
equal "the last value counts" "$(rt exec large env | grep TWICE)" TWICE=two
equal "exec -e" "$(rt exec -e TWICE=three -e PATH=/bin large env | grep -E 'TWICE|PATH' | sort | tr '\n' ' ')" "PATH=/bin TWICE=three "
rt delete -f large

# --- what engines read
equal "--version" "$(rt --version | head -n 1 | cut -d ' ' -f 1,2)" "nacre-runtime version"
rt features | python3 -c 'import json,sys; f=json.load(sys.stdin); assert f["ociVersionMax"] and "rro" in f["mountOptions"] and "CAP_CHOWN" in f["linux"]["capabilities"]'
exits 1 nacre-runtime --root "$T/rt" --log "$T/log.json" --log-format json start nobody
python3 -c 'import json,sys; e=json.load(open(sys.argv[1])); assert e["level"]=="error" and "does not exist" in e["msg"] and e["time"].endswith("Z"), e' "$T/log.json"
exits 1 nacre-runtime checkpoint --help

# --- SIGKILL in the middle: delete --force cleans up
for delay in 0.00 0.01 0.02 0.03 0.04 0.06; do
  nacre-runtime --root "$T/rt" run --bundle "$T/sleeper" torn </dev/null >/dev/null 2>&1 &
  victim=$!
  sleep $delay
  kill -9 $victim 2>/dev/null || true
  wait $victim 2>/dev/null || true
  rt delete --force torn
  nothing_left "killed after $delay s"
done
