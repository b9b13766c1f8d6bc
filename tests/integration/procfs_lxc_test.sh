# SPDX-License-Identifier: Apache-2.0
# LXC's containers get their view from its mount hook: nacre's, and the one that lxcfs brings, with another path.
. "$TESTS/runtime_lib.sh"
command -v lxc-execute >/dev/null || skip "lxc is not installed"

# LXC leaves a cgroup for its own processes.
trap 'find /sys/fs/cgroup -depth -type d -path "*$NACRE_CGROUP_PARENT*" -exec rmdir {} \;' EXIT
make_rootfs
mkdir -p "$T/lxc/box" "$T/rootfs/proc" "$T/rootfs/sys" "$T/rootfs/dev"
# box LINE…: a container of 128 MiB in which a look is taken; what it shows goes to $T/out.
box() {
  {
    printf '%s\n' "lxc.uts.name = box" "lxc.rootfs.path = dir:$T/rootfs" "lxc.mount.auto = proc:mixed sys:mixed" \
      "lxc.net.0.type = empty" "lxc.apparmor.profile = unconfined" "lxc.cgroup.dir = ${NACRE_CGROUP_PARENT#/}/lxc" \
      "lxc.cgroup.memory.limit_in_bytes = 128M" "lxc.cgroup2.memory.max = 128M" "$@"
  } >"$T/lxc/box/config"
  # shellcheck disable=SC2016 # the container's shell
  lxc-execute -P "$T/lxc" -n box -o "$T/lxc.log" -- /bin/sh -c 'awk "/^MemTotal:/ {print \$2}" /proc/meminfo
[ $(cut -d. -f1 /proc/uptime) -lt 60 ] && echo young
grep "/proc/.* fuse" /proc/mounts | wc -l' >"$T/out" 2>"$T/err"
}
machine=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)
box || skip "LXC does not work here: $(grep ERROR "$T/lxc.log" | sed -n 1p)"
equal "memory without a hook" "$(sed -n 1p "$T/out")" "$machine"
! box "lxc.hook.mount = $BIN/nacre hook --lxc" || fail "it starts without nacre-procfs"
box "lxc.hook.mount = $BIN/nacre hook --lxc --if-running" || fail "with --if-running: $(grep ERROR "$T/lxc.log")"
equal "memory without nacre-procfs" "$(sed -n 1p "$T/out")" "$machine"

nacre-procfs --mount "$T/shared"
box "lxc.hook.mount = $BIN/nacre hook --lxc" || fail "nacre hook --lxc: $(grep ERROR "$T/lxc.log")"
equal "with nacre's hook" "$(sed -n 1,2p "$T/out" | xargs)" "131072 young"
within "files of nacre's hook" "$(sed -n 3p "$T/out")" 14 20

theirs=/usr/share/lxcfs/lxc.mount.hook
[ -f $theirs ] || skip "lxcfs and its hook are not installed; nacre's own was tested"
sed "s|/var/lib/lxcfs|$T/shared|g" $theirs >"$T/hook"
chmod +x "$T/hook"
box "lxc.hook.mount = $T/hook" || fail "lxcfs's hook: $(grep ERROR "$T/lxc.log")"
equal "with lxcfs's hook" "$(sed -n 1,2p "$T/out" | xargs)" "131072 young"
