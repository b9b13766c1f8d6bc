#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The life of nacre-procfs: start, register, read, hostile clients, stop, kill, idle exit.
command -v python3 >/dev/null || { echo "SKIP: needs python3"; exit 77; }
. "$TESTS/../support/cgroup.sh"
client="python3 -B $TESTS/../support/procfs_client.py"
cgroup=$NACRE_CGROUP_PARENT/box
init= disk=
clean() {
  [ -z "$init" ] || { kill "$init" 2>/dev/null && wait "$init" || :; }
  umount -R "$T/view" 2>/dev/null || :
  [ ! -e "$T/other/pid" ] || kill "$(cat "$T/other/pid")" || :
  remove_cgroup "$NACRE_CGROUP_PARENT"
  [ -z "$disk" ] || rm -rf "$disk"
}
trap clean EXIT
fail() { echo "$*"; exit 1; }
expect() { [ "$1" = "$2" ] || fail "$3: expected \"$2\", got \"$1\""; }
field() { awk -v key="$1:" '$1 == key {print $2}' "$2"; }
until_true() { for _ in $(seq 300); do "$@" && return; sleep 0.1; done; return 1; }
# A process that has ended may wait for its new parent as a zombie for a while.
ended() { [ ! -e "/proc/$1/status" ] || grep -qs '^State:.Z' "/proc/$1/status"; }

# Live when the command returns; invisible in everybody else's mount table.
nacre-procfs
daemon=$(cat "$NACRE_PROCFS_DIR/pid")
[ -S "$NACRE_PROCFS_DIR/control" ] || fail "no socket"
! grep -q nacre-procfs /proc/self/mountinfo || fail "the daemon's mount is visible outside"
# The process that serves has a keeper, which is the one to send signals to.
server() { $client status | sed 's/.*"pid": \([0-9]*\).*/\1/'; }
server=$(server)
# It keeps the rights to mount, to reach other processes' memory and to set pressure triggers, and gains none.
rights=$(awk '/^CapBnd/ {print $2}' "/proc/$server/status")
[ $((0x$rights & ~0x12c0000)) = 0 ] || fail "the daemon's capabilities: $rights"
grep -q '^NoNewPrivs:.1' "/proc/$server/status" || fail "the daemon can gain rights"
# And does nothing but serve. Sanitizers and coverage counters open files of their own.
filters() { awk '/^Seccomp_filters:/ {print $2}' "/proc/$1/status"; }
[ "$(filters "$server")" = $(($(filters "$daemon") + 1)) ] || grep -qaE '__(gcov|tsan|asan)_' "$BIN/nacre-procfs" ||
  fail "the daemon may make any system call"
# One for each directory.
! nacre-procfs 2>second.txt || fail "a second daemon started"
grep -q "another nacre-procfs (pid $server) already serves $NACRE_PROCFS_DIR" second.txt || fail "$(cat second.txt)"
! nacre-procfs --idle-exit soon 2>/dev/null || fail "bad option accepted"

limited_cgroup "$cgroup" $((128 << 20)) 150000
sleep 1000 &
init=$!
join_cgroup "$cgroup" $init
# Pressure is counted in v2 alone, which may be there beside v1.
unified=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
join_unified() { [ -z "$unified" ] || { mkdir -p "$unified$cgroup" && echo "$1" >"$unified$cgroup/cgroup.procs"; }; }
join_unified $init
mkdir view
mount -t tmpfs view view
idle=$($client status)
$client add box $init "$cgroup" "$T/view" >/dev/null

# The numbers are the limits, and agree with each other.
expect "$(field MemTotal view/proc/meminfo)" $((128 << 10)) MemTotal
[ "$(field MemFree view/proc/meminfo)" -le "$(field MemAvailable view/proc/meminfo)" ] || fail "free > available"
[ "$(field MemAvailable view/proc/meminfo)" -le "$(field MemTotal view/proc/meminfo)" ] || fail "available > total"
cpus=$(nproc)
[ "$cpus" -le 2 ] || cpus=2 # a quota of 1.5
expect "$(grep -c ^processor view/proc/cpuinfo)" "$cpus" cpuinfo
expect "$(grep -c '^cpu[0-9]' view/proc/stat)" "$cpus" stat
expect "$(find view/sys/devices/system/cpu -maxdepth 1 -name 'cpu[0-9]*' | wc -l)" "$cpus" "cpu directories"
for file in online possible present; do
  expect "$(cat view/sys/devices/system/cpu/$file)" "$([ "$cpus" = 1 ] && echo 0 || echo 0-1)" "$file"
done
expect "$(wc -l <view/proc/swaps)" "$(wc -l </proc/swaps)" "swaps"
awk '{exit !($1 < 60)}' view/proc/uptime || fail "uptime $(cat view/proc/uptime)"
expect "$(wc -w <view/proc/loadavg)" 5 loadavg
expect "$(stat -c '%a %s' view/proc/meminfo)" "444 4096" "attributes"
! echo 1 2>/dev/null >view/proc/meminfo || fail "a file could be written"
[ -z "$(cat view/proc/diskstats)" ] || awk 'NF != 20 {exit 1}' view/proc/diskstats || fail "diskstats: $(cat view/proc/diskstats)"
# Where the kernel counts a cgroup's traffic, its disks are those with any.
disk=$(mktemp -d /var/tmp/nacre-test.XXXXXX)
(
  read -r self _ <"/proc/self/stat"
  join_cgroup "$cgroup" "$self"
  exec dd if=/dev/zero of="$disk/file" bs=64k count=4 oflag=direct 2>/dev/null
) || :
rm -rf "$disk"
sleep 0.1
expect "$(ls view/sys/block | sort | xargs)" "$(awk '{print $3}' view/proc/diskstats | sort | xargs)" "disks"
same_stat() { # DISK: in one moment in which nothing is written
  [ "$(xargs <"view/sys/block/$1/stat")" = "$(awk -v disk="$1" '$3 == disk {$1 = $2 = $3 = ""; print}' view/proc/diskstats | xargs)" ]
}
for name in $(ls view/sys/block); do
  until_true same_stat "$name" || fail "stat of $name"
  expect "$(cat "view/sys/block/$name/size")" "$(cat "/sys/block/$name/size")" "size of $name"
  echo "a disk with traffic: $name"
done
expect "$(cut -d' ' -f1 view/proc/vmstat | cksum)" "$(cut -d' ' -f1 /proc/vmstat | cksum)" "names in vmstat"
awk 'NF != 2 || $2 !~ /^[0-9]+$/ {exit 1}' view/proc/vmstat || fail "vmstat: $(cat view/proc/vmstat)"
expect "$(cat view/sys/devices/system/node/online)" 0 "nodes"
expect "$(awk '/MemTotal/ {print $4}' view/sys/devices/system/node/node0/meminfo)" $((128 << 10)) "memory of the node"
for resource in cpu memory io irq; do
  awk '!/^(some|full) avg10=[0-9.]+ avg60=[0-9.]+ avg300=[0-9.]+ total=[0-9]+$/ {exit 1}' view/proc/pressure/$resource ||
    fail "pressure of $resource: $(cat view/proc/pressure/$resource)"
done
if [ -e /proc/pressure/cpu ]; then
  (
    read -r self _ <"/proc/self/stat"
    join_cgroup "$cgroup" "$self"
    join_unified "$self"
    exec python3 -B "$TESTS/pressure_trigger.py" view/proc/pressure "$daemon"
  ) && code=0 || code=$?
  [ "$code" = 0 ] || [ "$code" = 77 ] || fail "waiting for pressure: $code"
  [ "$code" = 0 ] || echo "not tested: waiting for pressure: the cgroup has none"
fi

# A descriptor that is kept and seeks back reads new text; small reads see one text.
python3 -B - "$T/view/proc" <<'P' || fail "reading piecewise"
import os, sys, time
fd = os.open(sys.argv[1] + "/uptime", os.O_RDONLY)
first = os.read(fd, 4096)
time.sleep(0.1)
os.lseek(fd, 0, 0)
assert os.read(fd, 4096) != first
assert os.read(fd, 4096) == b""
fd = os.open(sys.argv[1] + "/meminfo", os.O_RDONLY)
text = b"".join(iter(lambda: os.read(fd, 7), b""))
assert text.startswith(b"MemTotal:") and text.endswith(b"kB\n"), text
P

set_quota() { # MICROSECONDS of 100000; -1 for none
  if is_v2 "$(cgroup_mount cpu)"; then echo "$([ "$1" = -1 ] && echo max || echo "$1") 100000" >"$(cgroup_mount cpu)$cgroup/cpu.max"
  else echo "$1" >"$(cgroup_mount cpu)$cgroup/cpu.cfs_quota_us"; fi
}
set_quota -1
# Whole, however it is read, also where many CPUs make it longer than a page: here as many as the machine has.
python3 -B - "$TESTS/../support" $init "$cgroup" <<'P' || fail "reading long files"
import errno, os, re, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import procfs_client
answer, mounts = procfs_client.Client().add("long", int(sys.argv[2]), sys.argv[3])
files = {target: f"/proc/{os.getpid()}/fd/{mount}" for target, mount in zip(answer["targets"], mounts)}

# Since Linux 6.5 the kernel would take these from its page cache, which has nothing: programs read(2) then.
cached = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 5)

def through_pipe(path, move):
    reader, writer = os.pipe()
    fd, parts = os.open(path, os.O_RDONLY), []
    try:
        while (count := move(fd, writer)) > 0:
            parts.append(os.read(reader, count))
    except OSError as failure:
        assert cached and failure.errno == errno.EINVAL, failure
        return None
    finally:
        for each in (reader, writer, fd):
            os.close(each)
    return b"".join(parts)

def sent(path):
    return through_pipe(path, lambda fd, pipe: os.sendfile(pipe, fd, None, 65536))

def spliced(path):
    return through_pipe(path, lambda fd, pipe: os.splice(fd, pipe, 65536))

def trusting(path):  # as node does
    fd = os.open(path, os.O_RDONLY)
    return os.read(fd, os.fstat(fd).st_size)

def tail(path):
    return subprocess.run(["tail", "-n", "3", path], check=True, stdout=subprocess.PIPE).stdout

for name in ("cpuinfo", "stat", "interrupts", "softirqs", "vmstat", "zoneinfo"):
    path = files["/proc/" + name]
    plain = b"".join(iter(lambda fd=os.open(path, os.O_RDONLY): os.read(fd, 1000), b""))
    names = [line.split()[:1] for line in plain.splitlines()]
    assert tail(path).splitlines()[-1].split()[:1] == names[-1], (name, tail(path))
    for how in (sent, spliced, trusting, sent, spliced):
        text = how(path)
        assert text is None or [line.split()[:1] for line in text.splitlines()] == names, (name, how, len(plain), len(text))
# And anew each time; a longer text is not cut to the length of the last one.
for how in (sent, spliced):
    first = how(files["/proc/uptime"])
    time.sleep(0.1)
    assert first is None or how(files["/proc/uptime"]) != first, how
for each in range(40):
    for name in ("uptime", "loadavg"):
        text = subprocess.run(["busybox", "cat", files["/proc/" + name]], check=True, stdout=subprocess.PIPE).stdout
        assert text.endswith(b"\n") and re.fullmatch(rb"[0-9]+\.[0-9]{2} [0-9]+\.[0-9]{2}( .*)?\n", text), text
    time.sleep(0.05)
for mount in mounts:
    os.close(mount)
P
$client remove long >/dev/null
set_quota 150000
# Whoever is in the container's cgroup (in any part of it) sees the same in the shared tree.
shared=/proc/$(server)/root$NACRE_PROCFS_DIR/mnt
memory=$(cgroup_mount memory)
expect "$(sh -c 'echo 0 >"$1"; exec cat "$2"' sh "$memory$cgroup/cgroup.procs" "$shared/proc/meminfo" | awk '/^MemTotal/ {print $2}')" \
  $((128 << 10)) "the shared tree"
[ "$(field MemTotal "$shared/proc/meminfo")" -ge "$(field MemTotal view/proc/meminfo)" ] || fail "our own cgroup"

# Malformed and hostile requests get an error, and do no harm.
python3 -B - "$TESTS/../support" $init "$cgroup" <<'P' || fail "hostile client"
import os, sys
sys.path.insert(0, sys.argv[1])
from procfs_client import Client
init, cgroup = int(sys.argv[2]), sys.argv[3]
client = Client()
good = {"op": "add", "id": "other", "init": init, "cgroup": cgroup}
for bad in [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"op":5}', b'{"op":"fly"}', b"[" * 60000, b"x" * 65536,
            {**good, "id": "../x"}, {**good, "id": "a/b"}, {**good, "id": ".hidden"}, {**good, "id": ""}, {**good, "id": "x" * 300},
            {**good, "id": 5}, {**good, "init": -1}, {**good, "init": 2 ** 40}, {**good, "init": "1"}, {**good, "init": 4194304},
            {**good, "cgroup": "relative"}, {**good, "cgroup": "/../.."}, {**good, "cgroup": "/no/such"}, {**good, "cgroup": "/x\0y"},
            {**good, "id": "box"}, {"op": "listen", "id": "box"}, {"op": "listen", "id": "nobody"}, {"op": "hello", "version": 1}]:
    if bad == b"":
        continue
    answer, fds = client.call(bad)
    assert "error" in answer and not fds, (bad, answer)
null = os.open("/dev/null", os.O_RDONLY)
assert "error" in client.call({"op": "listen", "id": "box"}, [null])[0]
assert "error" in client.call({"op": "listen", "id": "box"}, [null, null])[0]
assert "version" in Client(version=99).greeting and "error" in Client(version=99).greeting
assert "error" in Client(version=99).call({"op": "status"})[0]
quiet = [Client() for _ in range(50)]  # connections that just stay
assert client.call({"op": "remove", "id": "nobody"})[0].get("error") is None
assert client.call({"op": "status"})[0]["containers"] == 1
P

# Another user is refused even where the socket can be reached, and who floods it does not stop the others.
python3 -B - "$TESTS/../support" $init "$cgroup" "$NACRE_PROCFS_DIR" <<'P' || fail "a foreign user, or a flood"
import json, os, socket, sys, time
sys.path.insert(0, sys.argv[1])
from procfs_client import Client
init, cgroup, directory = int(sys.argv[2]), sys.argv[3], sys.argv[4]
client = Client()
status = lambda: client.call({"op": "status"})[0]
before = status()

os.chdir(directory)
os.chmod(".", 0o755)
for name in ("control", "seccomp"):
    os.chmod(name, 0o666)
child = os.fork()
if child == 0:
    os.setresuid(65534, 65534, 65534)
    stranger = Client("control")
    assert "only root" in json.dumps(stranger.greeting), stranger.greeting
    answer, mounts = stranger.add("stranger", init, cgroup)
    assert "error" in answer and not mounts, answer
    runtime = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    runtime.connect("seccomp")
    state = {"fds": ["seccompFd"], "pid": init, "state": {"id": "box"}}
    socket.send_fds(runtime, [json.dumps(state).encode()], [0])
    assert runtime.recv(10) == b""
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
for name in ("control", "seccomp"):
    os.chmod(name, 0o600)

# What no runtime says.
for text in (b"", b"{", b"x" * 70000, json.dumps({"fds": ["seccompFd"], "pid": init, "state": {"id": "box"}}).encode()):
    runtime = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    runtime.connect("seccomp")
    try:
        runtime.sendall(text)
    except BrokenPipeError:  # the daemon reads no more than a state may have, and closes
        assert len(text) == 70000, text
    runtime.close()

flood = []
for _ in range(700):
    one = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.setblocking(False)
    try:
        one.connect("control")
    except BlockingIOError:
        pass
    flood.append(one)
for one in flood:
    try:
        for _ in range(200):
            one.send(b'{"op":"hello","version":1}')
    except OSError:
        pass
assert status()["containers"] == before["containers"]
for one in flood:
    one.close()
for _ in range(100):
    if status()["descriptors"] <= before["descriptors"]:
        break
    time.sleep(0.1)
else:
    sys.exit(f"descriptors: {before['descriptors']}, then {status()['descriptors']}")
P

# Registering and forgetting again leaves no descriptor; idle containers cost one each.
for i in 1 2 3 4 5; do
  $client add "again$i" $init "$cgroup" >/dev/null
  $client remove "again$i" >/dev/null
done
python3 -B - "$TESTS/../support" $init "$cgroup" "$idle" <<'P' || fail "descriptors are not given back"
import json, sys, time
sys.path.insert(0, sys.argv[1])
from procfs_client import Client
init, cgroup, idle = int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
client = Client()
many = 30
most = idle["descriptors"] + many + 1 + 2 * 17  # what the next two containers get, cloned ahead
for i in range(many):
    answer, fds = client.add(f"many{i}", init, cgroup)
    assert len(fds) == len(answer["targets"]) == 17, answer
for _ in range(150):  # unused descriptors are closed at the second pulse
    status = client.call({"op": "status"})[0]
    if status["descriptors"] <= most:
        break
    time.sleep(0.1)
assert status["descriptors"] <= most, (idle, status)
for i in range(many):
    client.call({"op": "remove", "id": f"many{i}"})
P

# SIGTERM: everything goes. Attached files then answer with an error, they do not hang.
kill "$daemon"
until_true test ! -e "$NACRE_PROCFS_DIR/pid" || fail "SIGTERM did not end the daemon"
until_true ended "$daemon" || fail "the daemon still runs"
[ ! -e "$NACRE_PROCFS_DIR/control" ] || fail "the socket is left"
! cat view/proc/meminfo >/dev/null 2>&1 || fail "a dead daemon answers"
umount -R view
mount -t tmpfs view view

# kill -9 leaves files, and the next daemon starts over them.
nacre-procfs
daemon=$(cat "$NACRE_PROCFS_DIR/pid")
server=$(server)
kill -9 "$daemon"
until_true ended "$daemon" && until_true ended "$server" || fail "not killed"
nacre-procfs
$client add box $init "$cgroup" "$T/view" >/dev/null
expect "$(field MemTotal view/proc/meminfo)" $((128 << 10)) "MemTotal after kill -9"
# The container is known until its init ends.
kill $init
wait $init 2>/dev/null || :
init=
gone() { $client status | grep -q '"containers": 0'; }
until_true gone || fail "a dead container is still registered"
umount -R view

# --idle-exit leaves by itself, and not while a container is there. A slow machine needs time
# to get a word in before.
patience=${NACRE_TEST_SCALE:-1}
nacre-procfs --dir "$T/other" --idle-exit "$patience"
other=$(cat "$T/other/pid")
until_true test ! -e "$T/other/pid" || fail "--idle-exit did not end the daemon"
until_true ended "$other" || fail "--idle-exit did not end the process"
nacre-procfs --dir "$T/other" --idle-exit "$patience"
sleep 1000 &
init=$!
join_cgroup "$cgroup" $init
NACRE_PROCFS_DIR=$T/other $client add box $init "$cgroup" >/dev/null
sleep $((patience + 1))
NACRE_PROCFS_DIR=$T/other $client status | grep -q '"containers": 1' || fail "left with a container"
NACRE_PROCFS_DIR=$T/other $client remove box >/dev/null
until_true test ! -e "$T/other/pid" || fail "did not leave after the last container"

# Containers that nobody reads do not wake it up.
nacre-procfs --dir "$T/other"
python3 -B - "$TESTS/../support" $init "$cgroup" "$T/other/control" <<'P' || fail "an idle daemon"
import glob, os, sys, time
sys.path.insert(0, sys.argv[1])
from procfs_client import Client
client = Client(sys.argv[4])
daemon = client.call({"op": "status"})[0]["pid"]
for number in range(20):
    answer, mounts = client.add(f"idle{number}", int(sys.argv[2]), sys.argv[3])
    assert "error" not in answer, answer
    for mount in mounts:
        os.close(mount)
def wakes():
    lines = [line for path in glob.glob(f"/proc/{daemon}/task/*/status") for line in open(path, encoding="utf-8")]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
# It looks for more requests for a moment, which is longer on a slow machine.
for _ in range(20):
    before = wakes()
    time.sleep(1)
    if wakes() == before:
        break
time.sleep(4)
# The thread sanitizer has a thread of its own, which does.
assert wakes() == before or "TSAN_OPTIONS" in os.environ, f"woke up {wakes() - before} times"
P
kill "$(cat "$T/other/pid")"
until_true test ! -e "$T/other/pid" || fail "the idle daemon did not end"

# Many at once: one wins, and all see it live.
for _ in 1 2 3 4 5 6 7 8; do
  (nacre-procfs --dir "$T/other" 2>/dev/null || NACRE_PROCFS_DIR=$T/other $client status >/dev/null) &
  starters="${starters:-} $!"
done
for pid in $starters; do wait "$pid" || fail "a start neither won nor found the winner"; done
echo ok
