// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "runtime/kernel/kernel.h"

namespace nacre::runtime::kernel {

// The real one. Its calls act on the calling process, which is the container's first. The
// host's /proc must be where the process sees it until enter_root().
class LinuxKernel final : public Kernel {
 public:
  Result<> join_namespace(int fd) override;
  Result<> new_cgroup_namespace() override;
  Result<> new_time_namespace(const std::string& offsets) override;
  Result<> loopback_up() override;
  Result<> set_hostname(const std::string& name) override;
  Result<> set_domainname(const std::string& name) override;
  Result<> write_sysctl(const std::string& path, const std::string& value) override;
  Result<> set_tree_propagation(std::uint64_t propagation) override;
  Result<> attach_on_host(int mount, const std::string& path) override;
  Result<UniqueFd> new_filesystem(const std::string& type, const std::vector<sys::FsParameter>& parameters,
                                  std::uint64_t attributes) override;
  Result<UniqueFd> clone(int fd, bool recursive) override;
  Result<> set_attributes(int mount, std::uint64_t set, std::uint64_t clear, std::uint64_t propagation,
                          bool recursive) override;
  Result<> attach(int mount, int target) override;
  Result<> copy_tree(int from, int to) override;
  Result<UniqueFd> place(int root, const std::string& path, Kind kind) override;
  Result<UniqueFd> real_directory(int root, const std::string& path) override;
  Result<std::optional<UniqueFd>> find(int root, const std::string& path) override;
  Result<Kind> kind_of(int fd) override;
  Result<bool> on_kernel_filesystem(int fd) override;
  Result<bool> on_proc(int fd) override;
  Result<bool> is_read_only(int fd) override;
  Result<> make_symlink(int root, const std::string& path, const std::string& content) override;
  Result<> make_device(int root, const std::string& path, mode_t mode, dev_t device, uid_t uid,
                       gid_t gid) override;
  Result<UniqueFd> host_device(const std::string& path, mode_t mode, dev_t device) override;
  Result<Terminal> open_terminal(int root, unsigned height, unsigned width, uid_t uid) override;
  Result<> enter_root(int root, bool pivot) override;
  Result<> set_root_propagation(std::uint64_t propagation, bool below) override;
};

}  // namespace nacre::runtime::kernel
