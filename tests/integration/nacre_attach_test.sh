# SPDX-License-Identifier: Apache-2.0
# A container of another engine gets the view while it runs, and loses it again.
. "$TESTS/runtime_lib.sh"
. "$TESTS/podman_lib.sh"
command -v runc >/dev/null || skip "runc is not installed"

make_rootfs
podman_setup vfs
foreign() { podman --runtime runc --cgroup-manager cgroupfs "$@"; }
tar -C "$T/rootfs" -c . | foreign import - box >/dev/null 2>"$T/err" || skip "podman cannot import an image here: $(tail -n 1 "$T/err")"
id=$(foreign run --detach --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" --memory 128m --cpu-quota 100000 box sleep 1000 2>"$T/err") ||
  skip "podman does not work here with runc: $(tail -n 1 "$T/err")"
process=$(foreign inspect --format '{{.State.Pid}}' "$id")
# podman's own cleaning up after a container that ends may be in the way for a moment (EBUSY, podman 4.3).
remove() { eventually "podman rm" foreign rm --force --time 0 "$1"; }
inside() { foreign exec "$id" "$@"; }
total() { inside awk '/^MemTotal:/ {print $2}' /proc/meminfo; }
machine=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)

equal "memory before" "$(total)" "$machine"
nacre attach "$id" || fail "nacre attach ID"
equal "memory" "$(total)" 131072
equal "CPUs" "$(inside grep -c ^processor /proc/cpuinfo)" 1
equal "CPU directories" "$(inside sh -c 'ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l')" 1
[ "$(inside cut -d. -f1 /proc/uptime)" -lt 60 ] || fail "the uptime is the machine's"
equal "what the machine sees" "$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)" "$machine"
exits 125 nacre attach "$id"
grep -q "has a view already" "$T/err" || fail "attached twice: $(cat "$T/err")"
equal "memory after a second try" "$(total)" 131072
nacre detach "$process" || fail "nacre detach PID"
equal "memory afterwards" "$(total)" "$machine"
! inside grep -q nacre-procfs /proc/mounts || fail "a mount is left: $(inside grep nacre-procfs /proc/mounts)"
exits 125 nacre detach "$process"

# By a part of the id, by the number, and again after the daemon was gone.
nacre attach "$(echo "$id" | cut -c1-12)" || fail "nacre attach with a short id"
nacre detach "$id"
nacre attach "$process" || fail "nacre attach PID"
equal "memory by number" "$(total)" 131072
nacre detach "$process"

# Nor does it lift what the engine has put over /proc.
refuses 125 'would give its root what /proc/' nacre attach --nesting "$id"
equal "memory after a refusal" "$(total)" "$machine"
# A process that has made itself another root does not hide it.
inside sh -c 'mkdir /jail && cp /bin/busybox /jail'
foreign exec --detach "$id" chroot /jail /busybox sleep 1234 >/dev/null
jailed() { grep -lzx 1234 /proc/[0-9]*/cmdline 2>/dev/null | sed -n 's|/proc/\([0-9]*\)/.*|\1|p' | head -n 1 | grep .; }
eventually "a process with another root" jailed
refuses 125 'would give its root what /proc/' nacre attach --nesting "$(jailed)"
# A user namespace that maps nobody to root has nothing to lose.
if mapped=$(foreign run --detach --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" --memory 128m --security-opt seccomp=unconfined \
  --uidmap 0:100000:65536 --gidmap 0:100000:65536 box sleep 1000 2>"$T/err"); then
  nacre attach --nesting "$mapped"
  foreign exec "$mapped" unshare -Urmpf --mount-proc true || fail "a user namespace in a user namespace"
  foreign exec "$mapped" sh -c '! echo 1 >/dev/.nacre/proc/sys/kernel/panic' 2>/dev/null || fail "the machine's settings can be changed"
  nacre detach "$mapped"
  remove "$mapped"
else
  echo "not tested: a container with a user namespace: $(cat "$T/err")"
fi

# The view keeps nobody from making containers in it who could make them before.
open_box=$(foreign run --detach --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" --memory 128m --security-opt seccomp=unconfined \
  --security-opt unmask=all box sleep 1000)
nested() { foreign exec "$open_box" unshare -Urmpf --mount-proc true; }
if nested 2>"$T/err"; then
  nacre attach "$open_box"
  ! nested 2>/dev/null || fail "a proc that is covered is enough for this kernel: is --nesting of any use?"
  nacre detach "$open_box"
  nacre attach --nesting "$open_box"
  equal "memory with --nesting" "$(foreign exec "$open_box" awk '/^MemTotal:/ {print $2}' /proc/meminfo)" 131072
  nested || fail "attached with --nesting, no proc can be mounted"
  nacre detach "$open_box"
  nested || fail "detached, no proc can be mounted"
  [ -z "$(foreign exec "$open_box" ls -A /dev/.nacre 2>/dev/null)" ] || fail "/dev/.nacre is left"
else
  echo "not tested: --nesting: $(cat "$T/err")"
fi
# A link in its place leads nowhere.
nacre attach "$open_box"
foreign exec "$open_box" sh -c 'rmdir /dev/.nacre 2>/dev/null; ln -s / /dev/.nacre'
nacre detach "$open_box"
foreign exec "$open_box" sh -c '[ -e /proc/self/stat ] && [ -d /sys/devices ] && [ -L /dev/.nacre ]' || fail "detaching followed a link"
remove "$open_box"

# One clear line each.
for wrong in 999999999 0 nonsense 0123456789abcdef $$; do
  exits 125 nacre attach "$wrong"
  equal "lines about $wrong" "$(wc -l <"$T/err")" 1
done
nacre attach "$id"
remove "$id"
podman_clean
