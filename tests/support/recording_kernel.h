// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/kernel/kernel.h"

namespace nacre::test {

// A kernel that does nothing and writes down what it was asked, one call a line. Descriptors are
// numbers that it makes up and names after what they stand for; none is ever closed.
class RecordingKernel final : public runtime::kernel::Kernel {
 public:
  // The calls so far, joined by newlines.
  std::string text() const;
  const std::vector<std::string>& calls() const { return calls_; }

  // Call number `index` (from 0) fails with `code`.
  void fail_call(std::size_t index, int code) { failing_[index] = code; }
  // What the container's tree looks like.
  void missing(const std::string& path) { missing_.insert(path); }
  void directory(const std::string& path) { directories_.insert(path); }
  void on_proc(const std::string& path) { proc_.insert(path); }
  void read_only(const std::string& path) { read_only_.insert(path); }
  // A descriptor that a test hands to a plan, and its name in the record.
  UniqueFd descriptor(const std::string& name);

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

 private:
  Result<> record(std::string call);
  std::string name(int fd) const;

  std::vector<std::string> calls_;
  std::map<std::size_t, int> failing_;
  std::set<std::string> missing_, directories_, proc_, read_only_;
  std::map<int, std::string> names_;
};

}  // namespace nacre::test
