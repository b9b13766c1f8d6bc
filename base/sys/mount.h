// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mount.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

// The kernel's file-descriptor mount API (fsopen(2) and friends, Linux 5.2).
namespace nacre::sys {

// A parameter of fsconfig(2): key=value, or a flag when the value is empty.
using FsParameter = std::pair<std::string, std::string>;

// A new superblock of `type`, mounted nowhere; `attributes` are MOUNT_ATTR_*. The error
// carries the kernel's own explanation when it gives one.
Result<UniqueFd> new_mount(const char* type, const std::vector<FsParameter>& parameters, unsigned attributes);

// The mount at `path` (relative to `dir`), detached: open_tree(2) with OPEN_TREE_CLONE.
// With `recursive` the mounts below come too. An empty path means `dir` itself.
Result<UniqueFd> clone_mount(int dir, const char* path, bool recursive);

// Whether the mount or the file system that a file lies on is read-only.
Result<bool> is_read_only(int file);

// Attaches a detached mount at `path` below `dir`; an empty path means on `dir` itself.
Result<> attach_mount(int mount, int dir, const char* path);

// Takes away what is mounted on `path`, also if it is in use; a symlink there is not followed.
Result<> detach_mount(const std::string& path);

// mount_setattr(2): sets and clears MOUNT_ATTR_* on the mount, and below it when
// `recursive`. `propagation` is MS_PRIVATE and the like, or 0.
Result<> set_mount_attributes(int mount, std::uint64_t set, std::uint64_t clear, std::uint64_t propagation,
                              bool recursive);

// Of every mount of this mount namespace: `propagation` is MS_SLAVE or the like. A plain chroot,
// whose root is no mount point, is an error that says so.
Result<> set_tree_propagation(std::uint64_t propagation);

// Runs `action` in another mount namespace, by a descriptor of it or of a process in it (setns(2)), on a
// thread of its own, which has a root and a working directory of its own too. Its value, or its error.
Result<int> in_mount_namespace(int descriptor, const std::function<Result<int>()>& action);

// One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)), octal escapes decoded.
struct MountInfo {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::string device;  // "MAJOR:MINOR" of st_dev
  std::string root;
  std::string mountpoint;
  std::string options;
  std::string type;
  std::string source;
  std::string super_options;
};
// Lines that are malformed are an error naming the line.
Result<std::vector<MountInfo>> parse_mountinfo(std::string_view text);

}  // namespace nacre::sys
