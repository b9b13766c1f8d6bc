// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// The daemon's own mount namespace. Nobody else sees its file system, which reaches the
// containers as detached clones, and the daemon keeps no one else's mounts busy.
struct MountSpace {
  UniqueFd fuse;     // /dev/fuse, mounted
  UniqueFd root;     // the root of the mounted file system
  UniqueFd space;    // this mount namespace
  UniqueFd outside;  // the one that was left
};

// Leaves the caller's mount namespace, mounts a FUSE file system on `mountpoint` and gives
// up every other mount but /proc, /sys, `cgroup_mounts` and `directory` (absolute, without
// symlinks). Call before any thread exists. Where the root cannot be changed (an initial
// RAM file system) the other mounts stay.
Result<MountSpace> enter_mount_space(const std::string& directory, const std::string& mountpoint,
                                     const std::vector<std::string>& cgroup_mounts);

// Enters the one that a predecessor has made: `space` is its mount namespace. Call before any thread exists.
Result<MountSpace> enter_mount_space(UniqueFd fuse, UniqueFd root, UniqueFd space);

}  // namespace nacre::procfs
