# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# For integration tests: a cgroup with limits in whatever hierarchies this machine has.

cgroup_mount() { # CONTROLLER: the mount point of the hierarchy it is in; fails without one
  awk -v c="$1" '$(NF-2) == "cgroup" && index("," $NF ",", "," c ",") {print $5; found = 1; exit}
    END {exit !found}' /proc/self/mountinfo && return
  for mount in $(awk '$(NF-2) == "cgroup2" {print $5}' /proc/self/mountinfo); do
    grep -qw "$1" "$mount/cgroup.controllers" && { echo "$mount"; return; }
  done
  return 1
}

is_v2() { [ -e "$1/cgroup.controllers" ]; }

# v2 hands a controller down only where the parent says so.
cgroup_enable() { # MOUNT PATH CONTROLLERS: for the children of PATH and of all above it
  directory=$1
  for part in "" $(echo "$2" | tr / ' '); do
    directory=$directory${part:+/$part}
    mkdir -p "$directory"
    for controller in $3; do echo "+$controller" >"$directory/cgroup.subtree_control" 2>/dev/null || :; done
  done
}

limited_cgroup() { # PATH MEMORY_BYTES QUOTA_US (of 100000): makes it
  for controller in memory cpu pids cpuacct blkio; do
    mount=$(cgroup_mount $controller) || continue
    if is_v2 "$mount"; then cgroup_enable "$mount" "$(dirname "$1")" "memory cpu pids io"; fi
    mkdir -p "$mount$1"
  done
  memory=$(cgroup_mount memory)$1
  cpu=$(cgroup_mount cpu)$1
  if is_v2 "$memory"; then
    echo "$2" >"$memory/memory.max"
  else
    echo "$2" >"$memory/memory.limit_in_bytes"
  fi
  if is_v2 "$cpu"; then
    echo "$3 100000" >"$cpu/cpu.max"
  else
    echo "$3" >"$cpu/cpu.cfs_quota_us"
  fi
}

join_cgroup() { # PATH PID
  for controller in memory cpu pids cpuacct blkio; do
    mount=$(cgroup_mount $controller) || continue
    echo "$2" >"$mount$1/cgroup.procs"
  done
}

remove_cgroup() { # PATH: it and all below; their processes must have ended
  for tries in 1 2 3 4 5 6 7 8 9 10; do
    find /sys/fs/cgroup -depth -type d -path "*$1*" -exec rmdir {} \; 2>/dev/null || :
    [ -n "$(find /sys/fs/cgroup -type d -path "*$1" 2>/dev/null)" ] || return 0
    sleep "0.$tries"
  done
}
