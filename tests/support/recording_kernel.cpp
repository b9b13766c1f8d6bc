// SPDX-License-Identifier: Apache-2.0
#include "tests/support/recording_kernel.h"

#include <fcntl.h>

#include <cstdint>

namespace nacre::test {
namespace {

std::string with(const std::string& text, const char* name, std::uint64_t value) {
  return value == 0 ? text : text + " " + name + "=" + std::to_string(value);
}

}  // namespace

std::string RecordingKernel::text() const {
  std::string all;
  for (const auto& call : calls_) all += call + "\n";
  return all;
}

Result<> RecordingKernel::record(std::string call) {
  const auto index = calls_.size();
  calls_.push_back(std::move(call));
  if (const auto found = failing_.find(index); found != failing_.end()) return fail(found->second);
  return {};
}

// Real descriptors, so that their owners may close them; a number that is used again gets its new
// name.
UniqueFd RecordingKernel::descriptor(const std::string& name) {
  UniqueFd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  names_[fd.get()] = name;
  return fd;
}

std::string RecordingKernel::name(int fd) const {
  const auto found = names_.find(fd);
  return found == names_.end() ? "?" : found->second;
}

Result<> RecordingKernel::join_namespace(int fd) { return record("join " + name(fd)); }
Result<> RecordingKernel::new_cgroup_namespace() { return record("new cgroup namespace"); }
Result<> RecordingKernel::new_time_namespace(const std::string& offsets) {
  std::string line = offsets;
  for (char& c : line) c = c == '\n' ? ';' : c;
  return record("new time namespace " + line);
}
Result<> RecordingKernel::loopback_up() { return record("loopback up"); }
Result<> RecordingKernel::set_hostname(const std::string& text) { return record("hostname " + text); }
Result<> RecordingKernel::set_domainname(const std::string& text) { return record("domainname " + text); }
Result<> RecordingKernel::write_sysctl(const std::string& path, const std::string& value) {
  return record("sysctl " + path + "=" + value);
}
Result<> RecordingKernel::set_tree_propagation(std::uint64_t propagation) {
  return record(with("tree", "propagation", propagation));
}
Result<> RecordingKernel::attach_on_host(int mount, const std::string& path) {
  return record("attach " + name(mount) + " on host's " + path);
}

Result<UniqueFd> RecordingKernel::new_filesystem(const std::string& type,
                                                 const std::vector<sys::FsParameter>& parameters,
                                                 std::uint64_t attributes) {
  std::string call = with("new " + type, "attributes", attributes);
  for (const auto& [key, value] : parameters) call += " " + key + (value.empty() ? "" : "=" + value);
  TRY(record(std::move(call)));
  return descriptor(type);
}

Result<UniqueFd> RecordingKernel::clone(int fd, bool recursive) {
  TRY(record("clone " + name(fd) + (recursive ? " recursive" : "")));
  return descriptor("clone of " + name(fd));
}

Result<> RecordingKernel::set_attributes(int mount, std::uint64_t set, std::uint64_t clear,
                                         std::uint64_t propagation, bool recursive) {
  auto call = with(with(with("attributes of " + name(mount), "set", set), "clear", clear), "propagation",
                   propagation);
  return record(call + (recursive ? " recursive" : ""));
}

Result<> RecordingKernel::attach(int mount, int target) {
  return record("attach " + name(mount) + " on " + name(target));
}
Result<> RecordingKernel::copy_tree(int from, int to) {
  return record("copy " + name(from) + " to " + name(to));
}

Result<UniqueFd> RecordingKernel::place(int, const std::string& path, Kind kind) {
  TRY(record("place " + path + (kind == Kind::directory ? "/" : "")));
  if (kind == Kind::directory) directories_.insert(path);
  return descriptor(path);
}

Result<UniqueFd> RecordingKernel::real_directory(int, const std::string& path) {
  TRY(record("real directory " + path));
  directories_.insert(path);
  return descriptor(path);
}

Result<std::optional<UniqueFd>> RecordingKernel::find(int, const std::string& path) {
  TRY(record("find " + path));
  if (missing_.contains(path)) return std::optional<UniqueFd>{};
  return std::optional(descriptor(path));
}

Result<RecordingKernel::Kind> RecordingKernel::kind_of(int fd) {
  return directories_.contains(name(fd)) ? Kind::directory : Kind::file;
}
Result<bool> RecordingKernel::on_proc(int fd) { return proc_.contains(name(fd)); }
Result<bool> RecordingKernel::is_read_only(int fd) { return read_only_.contains(name(fd)); }
Result<bool> RecordingKernel::on_kernel_filesystem(int fd) { return proc_.contains(name(fd)); }

Result<> RecordingKernel::make_symlink(int, const std::string& path, const std::string& content) {
  return record("symlink " + path + " -> " + content);
}
Result<> RecordingKernel::make_device(int, const std::string& path, mode_t, dev_t, uid_t, gid_t) {
  return record("mknod " + path);
}
Result<UniqueFd> RecordingKernel::host_device(const std::string& path, mode_t, dev_t) {
  TRY(record("host device " + path));
  return descriptor("host's " + path);
}

Result<RecordingKernel::Terminal> RecordingKernel::open_terminal(int, unsigned, unsigned, uid_t) {
  TRY(record("open terminal"));
  return Terminal{descriptor("master"), descriptor("slave")};
}

Result<> RecordingKernel::enter_root(int root, bool pivot) {
  return record((pivot ? "pivot into " : "change into ") + name(root));
}
Result<> RecordingKernel::set_root_propagation(std::uint64_t propagation, bool) {
  return record(with("root", "propagation", propagation));
}

}  // namespace nacre::test
