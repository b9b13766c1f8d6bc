# SPDX-License-Identifier: Apache-2.0
# Detached containers: ps, exec, logs, stop, rm.
. "$TESTS/lib.sh"

id=$(nacre run -d --name web -e COLOUR=blue busybox sh -c 'echo started; echo problem >&2; trap "echo bye; exit 5" TERM; while :; do sleep 0.1; done')
echo "$id" | grep -Eq '^[0-9a-f]{12}$' || fail "not an id: $id"
nacre ps | grep -q "^$id.*running.*web" || fail "ps: $(nacre ps)"
equal "ids only" "$(nacre ps -q)" "$id"
eventually "output in the log" sh -c 'nacre logs web | grep -q started'
nacre logs web | grep -q problem || fail "standard error is not in the log"

equal "exec" "$(nacre exec web sh -c 'echo $COLOUR; cat /proc/1/comm' | tr '\n' ' ')" "blue sh "
equal "exec: options" "$(nacre exec -e X=y -w /tmp -u nobody web sh -c 'echo $X; pwd; id -u' | tr '\n' ' ')" "y /tmp 65534 "
equal "exec: standard input" "$(echo in | nacre exec -i web cat)" in
exits 6 nacre exec web sh -c 'exit 6'
exits 127 nacre exec web no-such-command
equal "exec: same view" "$(nacre exec web busybox nproc)" "$(nacre run --rm busybox nproc)"
equal "exec by the beginning of the id" "$(nacre exec "$(echo "$id" | cut -c1-6)" echo short)" short
echo changed | nacre exec -i web sh -c 'cat >/etc/changed'
equal "a change is seen by the next" "$(nacre exec web cat /etc/changed)" changed

refuses 125 'is running' nacre rm web
exits 0 nacre stop web
nacre logs web | grep -q bye || fail "the handler of SIGTERM did not run"
nacre ps -a | grep -q 'exited (5)' || fail "exit code after stop: $(nacre ps -a)"
refuses 125 'not running' nacre exec web true
exits 0 nacre stop web
exits 0 nacre rm web

# No handler: stop does not wait for nothing, and kill is what is reported.
nacre run -d --name deaf busybox sleep 1000 >/dev/null
exits 0 nacre stop -t 300 deaf
nacre ps -a | grep -q 'exited (137)' || fail "exit code of a killed container: $(nacre ps -a)"
# rm -f needs no stop; --rm cleans up by itself.
nacre run -d --name again busybox sleep 1000 >/dev/null
exits 0 nacre rm -f again deaf
nacre run -d --rm --name brief busybox sleep 0.2 >/dev/null
eventually "--rm after the end" sh -c '[ -z "$(nacre ps -aq)" ]'
follow=$(nacre run -d --name talk busybox sh -c 'for i in 1 2 3; do echo line $i; sleep 0.2; done')
equal "logs -f" "$(nacre logs -f "$follow" | tr '\n' ' ')" "line 1 line 2 line 3 "
refuses 125 'no such container' nacre exec nobody-here true
refuses 125 'no such container' nacre rm nobody-here
exits 0 nacre rm -a -f
