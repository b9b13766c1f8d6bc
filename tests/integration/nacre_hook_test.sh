# SPDX-License-Identifier: Apache-2.0
# packaging/oci-hook.json gives podman's containers their view from the start, with runc and with crun.
. "$TESTS/runtime_lib.sh"
. "$TESTS/podman_lib.sh"
snippet=$TESTS/../../packaging/oci-hook.json
[ -f "$snippet" ] || skip "packaging/oci-hook.json is not here"

make_rootfs
podman_setup vfs
mkdir "$T/hooks.d" "$T/early.d"
grep -qF '"/usr/bin/nacre"' "$snippet" || fail "packaging/oci-hook.json does not name /usr/bin/nacre"
sed "s|\"/usr/bin/nacre\",|\"$BIN/nacre\", \"env\": [\"NACRE_PROCFS_DIR=$NACRE_PROCFS_DIR\"],|" "$snippet" >"$T/hooks.d/nacre.json"
import() {
  tar -C "$T/rootfs" -c . | podman import - box >/dev/null 2>"$T/err" ||
    skip "podman cannot import an image here: $(tail -n 1 "$T/err")"
}
import
machine=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)

engine() { podman --runtime "$runtime" --cgroup-manager cgroupfs "$@"; }
limited() {
  engine --hooks-dir "$T/hooks.d" run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" \
    --memory 128m --cpu-quota 100000 "$@"
}
# What a container shows of itself; what runtimes mask is not among it.
# shellcheck disable=SC2016 # the container's shell
look='awk "/^MemTotal:/ {print \$2}" /proc/meminfo; grep -c ^processor /proc/cpuinfo
nproc=$(ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l); echo $nproc
[ $(cut -d. -f1 /proc/uptime) -lt 60 ] && echo young
for file in diskstats loadavg partitions pressure slabinfo softirqs stat swaps vmstat zoneinfo; do
  grep -q "^nacre-procfs /proc/$file fuse" /proc/mounts || echo "no $file"
done'
seen='131072
1
1
young'

used=
for runtime in runc crun; do
  command -v $runtime >/dev/null || continue
  # crun refuses cgroups of both versions, and writes to where the second one was; the mounts are this test's own.
  if [ $runtime = crun ] && [ -d /sys/fs/cgroup/unified ]; then
    podman_clean
    umount -l /sys/fs/cgroup/unified
    mount -t tmpfs nacre-test /sys/fs/cgroup/unified
    import
  fi
  podman --runtime $runtime --cgroup-manager cgroupfs run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" \
    box true >"$T/$runtime" 2>&1 || continue
  used="$used $runtime"

  # Without the daemon a container does not start with a view that it is not meant to have.
  code=0
  limited box true >"$T/out" 2>&1 || code=$?
  [ $code != 0 ] || fail "$runtime: started without nacre-procfs"
  # crun keeps to itself what a hook says.
  grep -q "nacre-procfs does not run: start it\|crun: error executing hook" "$T/out" || fail "$runtime without nacre-procfs: $(cat "$T/out")"

  nacre-procfs
  equal "$runtime" "$(limited box sh -c "$look")" "$seen"
  equal "$runtime, pid namespace of the machine" "$(limited --pid host box sh -c "$look" | sed -n 1,3p)" "$(echo "$seen" | sed -n 1,3p)"
  # busybox asks sysinfo(2), which the hook alone does not change.
  nacre seccomp-profile >"$T/seccomp.json"
  equal "$runtime, sysinfo(2)" "$(limited --security-opt "seccomp=$T/seccomp.json" box free | awk '/^Mem:/ {print $2}')" 131072
  # With a user namespace a hook of createContainer is nobody whom nacre-procfs trusts; one of createRuntime is root.
  sed 's/"createContainer"/"createRuntime"/' "$T/hooks.d/nacre.json" >"$T/early.d/nacre.json"
  mapped=$(engine --hooks-dir "$T/early.d" run --rm --network none --cgroup-parent "$NACRE_CGROUP_PARENT/podman" --memory 128m --cpu-quota 100000 \
    --uidmap 0:100000:65536 --gidmap 0:100000:65536 box sh -c "$look" 2>"$T/err") || fail "$runtime, user namespace: $(cat "$T/err")"
  equal "$runtime, user namespace" "$mapped" "$seen"
  # Containers in it, if it is no way around what protects the machine.
  ! limited --annotation org.nacre.nesting=on box true >"$T/out" 2>&1 || fail "$runtime: nesting lifts masks"
  grep -q "user namespace that maps nobody to root\|crun: error executing hook" "$T/out" || fail "$runtime, nesting with masks: $(cat "$T/out")"
  equal "$runtime, nested" "$(limited --security-opt seccomp=unconfined --security-opt unmask=all --annotation org.nacre.nesting=on box \
    sh -c 'unshare -Urmpf --mount-proc true && awk "/^MemTotal:/ {print \$2}" /proc/meminfo')" 131072
  # Another one's first process, and its pid namespace.
  pause=$(limited -d box sleep 1000)
  equal "$runtime, another's pid namespace" "$(limited --memory 64m --pid "container:$pause" box sh -c "$look" | sed -n 1p)" 65536
  equal "$runtime, in between" "$(engine exec "$pause" sh -c "$look" | sed -n 1p)" 131072
  engine rm --force --time 0 "$pause" >/dev/null
  kill "$(cat "$NACRE_PROCFS_DIR/pid")"
  eventually "the daemon's end" test ! -e "$NACRE_PROCFS_DIR/pid"
done
[ -n "$used" ] || skip "podman works here neither with runc nor with crun: $(cat "$T/runc" "$T/crun" 2>/dev/null | tail -n 1)"

# An operator may prefer containers that start.
sed -i 's/"nacre", "hook"/"nacre", "hook", "--if-running"/' "$T/hooks.d/nacre.json"
runtime=${used##* }
equal "without nacre-procfs" "$(limited box awk '/^MemTotal:/ {print $2}' /proc/meminfo)" "$machine"

# By hand it is of no use, and says so.
refuses 125 'for OCI runtimes to run' nacre hook
refuses 125 'LXC_ROOTFS_MOUNT' nacre hook --lxc
podman_clean
! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
