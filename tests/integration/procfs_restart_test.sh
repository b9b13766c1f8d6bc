# SPDX-License-Identifier: Apache-2.0
# nacre-procfs is killed over and over: readers and callers in containers see nothing of it.
. "$TESTS/lib.sh"
kernel_at_least 6 9 || skip "this kernel does not repeat requests (FUSE_NOTIFY_RESEND, Linux 6.9)"
command -v python3 >/dev/null || skip "python3 is not installed"
debian=$(debian_root) # procps; the others have busybox
kills=${NACRE_TEST_KILLS:-60}
containers=${NACRE_TEST_CONTAINERS:-6}

nacre-procfs --mount "$T/shared"
keeper=$(cat "$NACRE_PROCFS_DIR/pid")
trap 'touch "$T/killed-all"; [ -z "$holder" ] || kill "$holder" || true; nacre rm --force --all >/dev/null 2>&1 || true' EXIT
holder=''
# free asks sysinfo(2) and reads /proc/meminfo; busybox reads a line byte by byte, in which a text may change.
# shellcheck disable=SC2016 # the container's shell
loop='n=0 user=0 idle=0 up=0
while free >/tmp/free && read -r word a _ _ d _ </proc/stat && [ "$word" = cpu ] && [ "$a" -ge $user ] && [ "$d" -ge $idle ] &&
  total=$(awk "/^MemTotal:/ {print \$2}" /proc/meminfo) && [ "$total" = 262144 ] && grep -q "^Mem: *262144 " /tmp/free &&
  cat /proc/stat >/tmp/stat && tail -n 1 /tmp/stat | grep -q "^softirq" && read -r now _ </proc/uptime; do
  now=$((${now%.*} * 100 + 1${now#*.} - 100))
  [ $((now - up)) -lt ${longest:-0} ] || [ $n = 0 ] || longest=$((now - up))
  user=$a idle=$d up=$now n=$((n + 1))
  echo "$n ${longest:-0}" >/tmp/new && mv /tmp/new /tmp/rounds
done
echo "stopped after $n: [$word $a $d] after [$user $idle]; total [$total]; $(tail -n 1 /tmp/stat); $(cat /tmp/free)"; exit 1'
for number in $(seq "$containers"); do
  image=busybox
  [ $((number % 2)) = 0 ] || image=$debian
  nacre run -d --name "box$number" --memory 256m --cpus 1 "$image" sh -c "$loop; sleep 0" >/dev/null
done
rounds() { nacre exec "box$1" cat /tmp/rounds; }
for number in $(seq "$containers"); do eventually "rounds of box$number" rounds "$number"; done
equal "containers" "$(nacre ps -q | wc -l)" "$containers"
begun=$(for number in $(seq "$containers"); do rounds "$number"; done)
before=$(cut -d. -f1 "$T/shared/proc/uptime")
python3 -B "$TESTS/timed_reader.py" "$T/shared/proc/uptime" "$T/shared/proc/meminfo" "$T/shared/proc/stat" >"$T/readings" 2>&1 &
reader=$!
# Containers start meanwhile; a request whose answer is lost is made again.
while [ ! -e "$T/killed-all" ]; do
  nacre run --rm --memory 48m busybox awk '/^MemTotal:/ && $2 != 49152 {print "a new container sees " $0}' /proc/meminfo
  echo started
done >"$T/started" 2>&1 &
starter=$!
python3 -B "$TESTS/kill_daemon.py" "$keeper" "$kills" >"$T/killed" 2>"$T/err" || fail "$(cat "$T/err")"
touch "$T/killed-all"
wait "$starter" || fail "starting beside the kills: $(tail -n 3 "$T/started")"
[ -s "$T/started" ] && ! grep -v '^started$' "$T/started" || fail "starting beside the kills"
kill "$reader"
wait "$reader" || fail "a single reading: $(cat "$T/readings")"
[ "$before" -le "$(cut -d. -f1 "$T/shared/proc/uptime")" ] || fail "the shared files went back"
sleep 1
for number in $(seq "$containers"); do
  [ -z "$(nacre logs "box$number")" ] || fail "box$number $(nacre logs "box$number")"
done
equal "containers that still read" "$(nacre ps -q | wc -l)" "$containers"

equal "containers that went on" "$(for number in $(seq "$containers"); do
  was=$(echo "$begun" | sed -n "${number}p" | cut -d' ' -f1)
  [ "$(rounds "$number" | cut -d' ' -f1)" -gt "$was" ] && echo "$number"
done | wc -l)" "$containers"
longest=$(for number in $(seq "$containers"); do rounds "$number"; done | cut -d' ' -f2 | sort -n | tail -n 1)
total=$(for number in $(seq "$containers"); do rounds "$number"; done | awk '{sum += $1} END {print sum}')

# One that is not registered any more (detached) still has its system calls answered.
detached=$(nacre run -d --name detached --memory 64m busybox sh -c 'while uptime >/tmp/uptime; do echo . >>/tmp/rounds; done; echo stopped')
eventually "system calls of the one to be detached" nacre exec detached test -s /tmp/rounds
nacre detach "$detached" >/dev/null
server() { python3 -B "$TESTS/../support/procfs_client.py" status | grep -o '"pid": [0-9]*' | grep -o '[0-9]*'; }
for _ in 1 2; do
  kill -KILL "$(server)"
  was=$(nacre exec detached sh -c 'wc -l </tmp/rounds')
  eventually "rounds after a kill" nacre exec detached sh -c '[ "$(wc -l </tmp/rounds)" -gt '"$((was + 10))"' ]'
done
equal "the detached container's complaints" "$(nacre logs detached)" ""

# What begins now is registered, and what ends is forgotten, as if nothing had been.
equal "a new container" "$(nacre run --rm --memory 64m busybox awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 65536
nacre rm --force --all >/dev/null
status() { python3 -B "$TESTS/../support/procfs_client.py" status; }
eventually "nothing is registered" sh -c "python3 -B '$TESTS/../support/procfs_client.py' status | grep -q '\"containers\": 0'"

# A planned restart, as after an upgrade, is one more of them; the end is the end.
old=$(status)
kill -HUP "$keeper"
eventually "another daemon" sh -c "! python3 -B '$TESTS/../support/procfs_client.py' status | grep -qF '$(echo "$old" | grep -o '"pid": [0-9]*')'"
cat "$T/shared/proc/meminfo" >/dev/null || fail "the files are gone after a planned restart"
kill "$keeper"
eventually "an orderly end" test ! -e "$NACRE_PROCFS_DIR/pid"
! grep -q " $T/shared/" /proc/self/mounts || fail "the shared files are left"

# So is one that is asked for while the daemon is dead.
nacre-procfs
keeper=$(cat "$NACRE_PROCFS_DIR/pid")
kill -STOP "$keeper"
kill -KILL "$(server)"
kill "$keeper"
kill -CONT "$keeper"
eventually "an end without a daemon" test ! -e "$NACRE_PROCFS_DIR/pid"
eventually "the keeper's end" sh -c "! kill -0 $keeper 2>/dev/null"

# A daemon that has lost its helpers makes room for one that has others.
nacre-procfs
another() { now=$(server) && [ -n "$now" ] && [ "$now" != "$was" ]; }
children() { cat "/proc/$1/task/$1/children"; }
bereave() {
  was=$(server)
  starter=$(children "$was")
  kill -KILL "${starter% }" # the others go with it
}
bereave
equal "a container without helpers" "$(nacre run --rm --memory 64m busybox awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 65536
another || fail "a daemon without helpers stays"
nacre run -d --name calls --memory 64m busybox sh -c \
  'while free >/tmp/free && grep -q "^Mem: *65536 " /tmp/free; do echo . >>/tmp/rounds; done; cat /tmp/free; sleep 1000' >/dev/null
eventually "system calls" nacre exec calls test -s /tmp/rounds
bereave
eventually "a daemon with helpers" another
was=$(nacre exec calls sh -c 'wc -l </tmp/rounds')
eventually "system calls afterwards" nacre exec calls sh -c '[ "$(wc -l </tmp/rounds)" -gt '"$((was + 10))"' ]'
equal "what was wrong" "$(nacre logs calls)" ""
nacre rm --force calls >/dev/null

# Nothing that a container offers as memory keeps a daemon from ending, or from being replaced.
keeper=$(cat "$NACRE_PROCFS_DIR/pid")
held=$(nacre run -d --name held --memory 64m busybox sleep 1000)
touch "$T/memory"
python3 -B "$TESTS/../support/procfs_trap.py" "$held" python3 -B "$TESTS/unreachable_memory.py" "$T/memory" >"$T/held" &
holder=$!
eventually "a call with that memory" grep -q held "$T/held"
for signal in KILL HUP; do
  was=$(server)
  [ $signal = HUP ] || kill -KILL "$was"
  [ $signal = KILL ] || kill -HUP "$keeper"
  eventually "a daemon after $signal" another
  eventually "the end of the one before" test ! -e "/proc/$was"
  equal "the container after $signal" "$(nacre exec held awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 65536
  equal "a new container after $signal" "$(nacre run --rm --memory 64m busybox awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 65536
done
nacre rm --force held >/dev/null
kill "$keeper"
eventually "the end, with memory that does not answer" test ! -e "$NACRE_PROCFS_DIR/pid"
kill "$holder"
holder=''
eventually "the end of the wait for memory" umount "$T/memory"

# What a successor cannot use is dropped.
python3 -B "$TESTS/useless_estate.py" "$BIN/nacre-procfs" 2>"$T/err" || fail "$(cat "$T/err")"

# The same under systemd, by packaging/nacre-procfs.service.
service=$TESTS/../../packaging/nacre-procfs.service
if [ -f "$service" ]; then
  WATCHDOG=3 python3 -B "$TESTS/service_manager.py" "$service" "$BIN/nacre-procfs" >"$T/starts" 2>"$T/manager.err" &
  manager=$!
  eventually "a start by the service manager" test -s "$T/starts"
  # Another one waits for the end of the one that serves, unless it is told to end itself.
  second_manager() {
    rm -rf "$T/second" && mkdir "$T/second"
    T="$T/second" python3 -B "$TESTS/service_manager.py" "$service" "$BIN/nacre-procfs" >"$T/second/starts" 2>"$T/second/err" &
    second=$!
    eventually "the other's waiting" grep -q "already serves $NACRE_PROCFS_DIR: waiting for its end" "$T/second/err"
  }
  waits() { equal "the other's starts and lines" "$(cat "$T/second/starts" "$T/second/err" | wc -l)" 1; }
  second_manager
  kill "$second"
  wait "$second" || fail "the other service manager: $(cat "$T/second/err")"
  waits
  second_manager
  nacre run -d --name kept --memory 64m busybox sh -c 'while free >/tmp/free; do cat /proc/stat >/tmp/stat || exit; done' >/dev/null
  for round in 2 3 4 5 6; do
    signal=KILL
    [ $round != 4 ] || signal=TERM # systemctl restart
    [ $round != 5 ] || signal=STOP # the watchdog's affair
    kill -$signal "$(tail -n 1 "$T/starts" | cut -d' ' -f1)"
    eventually "start $round" sh -c "[ \"\$(wc -l <'$T/starts')\" = $round ]"
  done
  equal "the container under a service manager" "$(nacre exec kept awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 65536
  nacre ps | grep -q kept || fail "stopped reading: $(nacre logs kept)"
  nacre rm --force kept >/dev/null
  waits
  kill "$manager"
  wait "$manager" || fail "service manager: $(cat "$T/manager.err")"
  eventually "the other's start" test -s "$T/second/starts"
  kill "$second"
  wait "$second" || fail "the other service manager: $(cat "$T/second/err")"
fi
echo "$(cat "$T/killed"); $total rounds in $containers containers, the longest took $longest of 1/100 s; $(cut -d" " -f1 "$T/readings") single readings, the longest took $(cut -d" " -f2 "$T/readings") ms"
