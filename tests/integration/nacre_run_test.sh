# SPDX-License-Identifier: Apache-2.0
# The options of nacre run, one by one.
. "$TESTS/lib.sh"

equal "output" "$(nacre run --rm busybox echo hello world)" "hello world"
equal "standard input" "$(echo typed | nacre run --rm -i busybox cat)" typed
equal "no standard input" "$(echo typed | nacre run --rm busybox cat)" ""
exits 0 nacre run --rm busybox true
exits 7 nacre run --rm busybox sh -c 'exit 7'
exits 137 nacre run --rm busybox sh -c 'kill -9 $$; sleep 1; kill -9 1; exit 137'
exits 127 nacre run --rm busybox no-such-command
grep -q 'no-such-command' "$T/err" || fail "127 does not name the command"
exits 127 nacre run --rm busybox /no/such/command
exits 126 nacre run --rm busybox /etc/passwd
exits 126 nacre run --rm busybox /etc

equal "environment" "$(nacre run --rm -e A=1 -e B=two\ words busybox sh -c 'echo $A $B $HOME')" "1 two words /root"
export FROM_CALLER=yes
equal "the caller's variable" "$(nacre run --rm -e FROM_CALLER -e NOT_SET busybox sh -c 'echo $FROM_CALLER$NOT_SET')" yes
equal "directory" "$(nacre run --rm -w /var/log busybox pwd)" /var/log
equal "user by name" "$(nacre run --rm -u nobody busybox id -u)" 65534
equal "user and group by number" "$(nacre run --rm -u 1234:99 busybox sh -c 'id -u; id -g' | tr '\n' ' ')" "1234 99 "
equal "host name" "$(nacre run --rm --hostname shell busybox sh -c 'hostname; cat /etc/hostname' | tr '\n' ' ')" "shell shell "
equal "a network of its own" "$(nacre run --rm busybox sh -c 'ls /sys/class/net')" lo
equal "loopback is up" "$(nacre run --rm busybox sh -c 'ip -o link show lo | grep -c UP')" 1
[ "$(nacre run --rm --net host busybox readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] || fail "--net host has another network"

mkdir "$T/volume"
echo outside >"$T/volume/file"
equal "volume" "$(nacre run --rm -v "$T/volume:/data" busybox sh -c 'cat /data/file; echo inside >/data/made')" outside
equal "written through a volume" "$(cat "$T/volume/made")" inside
exits 1 nacre run --rm -v "$T/volume:/data:ro" busybox touch /data/file
mkdir "$T/volume/below"
mount -t tmpfs below "$T/volume/below"
exits 1 nacre run --rm -v "$T/volume:/data:ro" busybox touch /data/below/file
exits 0 nacre run --rm -v "$T/volume:/data" busybox touch /data/below/file
equal "set-user-ID programs and devices of a volume" \
  "$(nacre run --rm -v "$T/volume:/data" busybox grep -E ' /data(/below)? ' /proc/self/mountinfo | grep -c nosuid,nodev)" 2
umount "$T/volume/below"
equal "a file as a volume" "$(nacre run --rm -v "$T/volume/file:/etc/motd:ro" busybox cat /etc/motd)" outside

exits 1 nacre run --rm --read-only busybox touch /etc/x
grep -q 'Read-only' "$T/err" || fail "--read-only: $(cat "$T/err")"
exits 0 nacre run --rm --read-only busybox touch /dev/shm/x
equal "CPUs by number" "$(nacre run --rm --cpuset-cpus 0 busybox nproc)" 1

# What is not on the list of devices cannot be used, whoever makes the node.
equal "devices" "$(nacre run --rm busybox sh -c 'for d in null zero full random urandom; do head -c 0 /dev/$d || echo $d; done')" ""

# Isolation a shell can see.
equal "processes" "$(nacre run --rm busybox ls /proc | grep -c '^[0-9]')" 1
equal "pid" "$(nacre run --rm busybox sh -c 'echo $$')" 1
exits 1 nacre run --rm busybox mount -t tmpfs none /mnt
exits 1 nacre run --rm busybox sh -c 'echo 1 >/proc/sys/vm/drop_caches'
equal "timer_list is masked" "$(nacre run --rm busybox sh -c 'wc -c </proc/timer_list')" 0
equal "descriptors" "$(nacre run --rm busybox ls /proc/self/fd | tr '\n' ' ')" "0 1 2 3 "

# Options of the command are its own.
equal "options after the image" "$(nacre run --rm busybox echo --rm -e)" "--rm -e"

# Without --rm it stays, with what it wrote, until it is removed.
exits 3 nacre run --name kept busybox sh -c 'echo data >/kept-file; exit 3'
nacre ps -a | grep -q 'exited (3) *kept' || fail "nacre ps -a: $(nacre ps -a)"
equal "not among the running" "$(nacre ps | grep -c kept || true)" 0
refuses 125 'name.*kept' nacre run --name kept busybox true
exits 0 nacre rm kept
equal "after rm" "$(nacre ps -aq)" ""
