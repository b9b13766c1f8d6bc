// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sys/mount.h"
#include "base/unique_fd.h"

namespace nacre::runtime::kernel {

// What the performance of a plan needs from the kernel, and no more, so that a test can record
// the calls and fail any one of them. `root` is the container's root directory; `path` is a path
// inside the container, resolved below `root` however its symlinks point.
class Kernel {
 public:
  virtual ~Kernel() = default;

  virtual Result<> join_namespace(int fd) = 0;
  virtual Result<> new_cgroup_namespace() = 0;
  // `offsets` in the form of /proc/PID/timens_offsets.
  virtual Result<> new_time_namespace(const std::string& offsets) = 0;
  virtual Result<> loopback_up() = 0;
  virtual Result<> set_hostname(const std::string& name) = 0;
  virtual Result<> set_domainname(const std::string& name) = 0;
  virtual Result<> write_sysctl(const std::string& path, const std::string& value) = 0;

  // Of every mount of this namespace.
  virtual Result<> set_tree_propagation(std::uint64_t propagation) = 0;
  virtual Result<> attach_on_host(int mount, const std::string& path) = 0;
  virtual Result<UniqueFd> new_filesystem(const std::string& type,
                                          const std::vector<sys::FsParameter>& parameters,
                                          std::uint64_t attributes) = 0;
  virtual Result<UniqueFd> clone(int fd, bool recursive) = 0;
  virtual Result<> set_attributes(int mount, std::uint64_t set, std::uint64_t clear,
                                  std::uint64_t propagation, bool recursive) = 0;
  virtual Result<> attach(int mount, int target) = 0;
  // Copies what is in one directory into another, with owners, modes and times.
  virtual Result<> copy_tree(int from, int to) = 0;

  enum class Kind { directory, file };
  // The existing file or directory, or a new empty one with the directories on the way.
  virtual Result<UniqueFd> place(int root, const std::string& path, Kind kind) = 0;
  // A directory no part of whose path is a symlink, made when missing.
  virtual Result<UniqueFd> real_directory(int root, const std::string& path) = 0;
  // Nothing when it does not exist.
  virtual Result<std::optional<UniqueFd>> find(int root, const std::string& path) = 0;
  virtual Result<Kind> kind_of(int fd) = 0;
  // Whether it is on a proc or sysfs.
  virtual Result<bool> on_kernel_filesystem(int fd) = 0;
  virtual Result<bool> on_proc(int fd) = 0;
  virtual Result<bool> is_read_only(int fd) = 0;

  virtual Result<> make_symlink(int root, const std::string& path, const std::string& content) = 0;
  // EPERM where device nodes may not be made. An existing file is left as it is.
  virtual Result<> make_device(int root, const std::string& path, mode_t mode, dev_t device, uid_t uid,
                               gid_t gid) = 0;
  // The host's own device node, checked to be that device.
  virtual Result<UniqueFd> host_device(const std::string& path, mode_t mode, dev_t device) = 0;

  struct Terminal {
    UniqueFd master, slave;
  };
  // A new pseudo terminal of the container's devpts, or of the host's when it has none.
  virtual Result<Terminal> open_terminal(int root, unsigned height, unsigned width, uid_t uid) = 0;

  virtual Result<> enter_root(int root, bool pivot) = 0;
  virtual Result<> set_root_propagation(std::uint64_t propagation, bool below) = 0;
};

}  // namespace nacre::runtime::kernel
