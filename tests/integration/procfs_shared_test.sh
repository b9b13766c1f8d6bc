# SPDX-License-Identifier: Apache-2.0
# The recipes that bind lxcfs's files into containers work with nacre-procfs --mount in its place.
. "$TESTS/runtime_lib.sh"
. "$TESTS/podman_lib.sh"
command -v runc >/dev/null || skip "runc is not installed"

shared=$T/shared
refuses 2 'give an absolute path' nacre-procfs --mount shared
touch "$T/file"
refuses 1 "mount on $T/file" nacre-procfs --mount "$T/file"
nacre-procfs --mount "$shared"
equal "what it shows" "$(ls "$shared" | xargs)" "proc sys"
[ -r "$shared/proc/meminfo" ] && [ -r "$shared/sys/devices/system/cpu/online" ] || fail "files are missing"

# One -v for each file, as lxcfs's documentation has it for Docker; those that runc allows over /proc.
make_rootfs
podman_setup vfs
tar -C "$T/rootfs" -c . | podman import - box >/dev/null 2>"$T/err" || skip "podman cannot import an image here: $(tail -n 1 "$T/err")"
volumes=
for file in cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo; do volumes="$volumes -v $shared/proc/$file:/proc/$file:ro"; done
bound() {
  # shellcheck disable=SC2086
  podman --runtime runc --cgroup-manager cgroupfs run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" \
    $volumes -v "$shared/sys/devices/system/cpu:/sys/devices/system/cpu:ro" "$@"
}
# shellcheck disable=SC2016
look='awk "/^MemTotal:/ {print \$2}" /proc/meminfo; grep -c ^processor /proc/cpuinfo; nproc_dirs=$(ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l)
echo $nproc_dirs; [ $(cut -d. -f1 /proc/uptime) -lt 60 ] && echo young'
bound box true >"$T/out" 2>&1 || skip "podman does not work here with runc: $(tail -n 1 "$T/out")"
equal "a container" "$(bound --memory 128m --cpu-quota 100000 box sh -c "$look" | xargs)" "131072 1 1 young"
# Two that share the files' inodes do not share what is in them.
first=$(bound -d --memory 128m box sleep 1000)
equal "another one" "$(bound --memory 64m box sh -c "$look" | sed -n 1p)" 65536
equal "the first" "$(podman exec "$first" sh -c "$look" | sed -n 1p)" 131072
equal "the machine" "$(awk '/^MemTotal:/ {print $2}' "$shared/proc/meminfo")" "$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)"
podman rm --force --time 0 "$first" >/dev/null

# A daemon that was killed leaves its mounts; the next one replaces them, and an orderly end takes them away.
kill -KILL "$(cat "$NACRE_PROCFS_DIR/pid")"
eventually "the end of the files" sh -c "! cat $shared/proc/uptime"
nacre-procfs --mount "$shared"
equal "after a kill" "$(bound --memory 128m box sh -c "$look" | sed -n 1p)" 131072
podman_clean
kill "$(cat "$NACRE_PROCFS_DIR/pid")"
eventually "an orderly end" sh -c "! grep -q ' $shared/' /proc/self/mounts"
