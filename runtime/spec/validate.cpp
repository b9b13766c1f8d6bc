// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/validate.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "runtime/capabilities.h"
#include "runtime/rlimits.h"
#include "runtime/spec/namespaces.h"

namespace nacre::runtime::spec {
namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string numbered(const char* list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

bool absolute(std::string_view path) { return path.starts_with('/'); }

Result<> check_namespaces(const Spec& spec) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < spec.linux_.namespaces.size(); ++i) {
    const auto& one = spec.linux_.namespaces[i];
    const auto where = numbered("linux.namespaces", i);
    if (namespace_flag(one.type) == 0)
      return bad_input(where + ".type: unknown namespace " + quoted(one.type));
    if (!seen.insert(one.type).second)
      return bad_input(where + ": a second " + quoted(one.type) + " namespace");
    if (!one.path.empty() && !absolute(one.path))
      return bad_input(where + ".path must be absolute, not " + quoted(one.path));
  }
  if (!seen.contains("mount"))
    return bad_input(
        "linux.namespaces: a container needs a mount namespace of its own; add {\"type\": \"mount\"}");
  return {};
}

Result<> check_users(const Spec& spec) {
  const auto& linux = spec.linux_;
  const bool mapped = !linux.uid_mappings.empty() || !linux.gid_mappings.empty();
  if (mapped && !has_namespace(spec, "user"))
    return bad_input("linux.uidMappings need a user namespace in linux.namespaces");
  if (has_new_namespace(spec, "user") && (linux.uid_mappings.empty() || linux.gid_mappings.empty()))
    return bad_input("a new user namespace needs linux.uidMappings and linux.gidMappings");
  for (const auto* list : {&linux.uid_mappings, &linux.gid_mappings})
    for (const auto& mapping : *list)
      if (mapping.size == 0)
        return bad_input("linux.uidMappings and linux.gidMappings: a size of 0 maps nobody");
  return {};
}

Result<> check_mounts(const Spec& spec) {
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const auto where = numbered("mounts", i);
    const auto& destination = spec.mounts[i].destination;
    if (destination.empty()) return bad_input(where + ".destination is missing");
    if (!absolute(destination))
      return bad_input(where + ".destination must be absolute, not " + quoted(destination));
  }
  return {};
}

Result<> check_hooks(const char* name, const std::vector<Hook>& hooks) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const auto where = "hooks." + numbered(name, i);
    if (!absolute(hooks[i].path))
      return bad_input(where + ".path must be absolute, not " + quoted(hooks[i].path));
    if (hooks[i].timeout_seconds && *hooks[i].timeout_seconds <= 0)
      return bad_input(where + ".timeout must be greater than zero");
  }
  return {};
}

Result<> check_hooks(const Hooks& hooks) {
  TRY(check_hooks("prestart", hooks.prestart));
  TRY(check_hooks("createRuntime", hooks.create_runtime));
  TRY(check_hooks("createContainer", hooks.create_container));
  TRY(check_hooks("startContainer", hooks.start_container));
  TRY(check_hooks("poststart", hooks.poststart));
  return check_hooks("poststop", hooks.poststop);
}

Result<> check_devices(const Spec& spec) {
  for (std::size_t i = 0; i < spec.linux_.devices.size(); ++i) {
    const auto& device = spec.linux_.devices[i];
    const auto where = numbered("linux.devices", i);
    if (!absolute(device.path))
      return bad_input(where + ".path must be absolute, not " + quoted(device.path));
    if (device.type != "c" && device.type != "b" && device.type != "u" && device.type != "p")
      return bad_input(where + ".type must be one of c, b, u, p, not " + quoted(device.type));
  }
  return {};
}

// Only settings that belong to a namespace of the container's own: any other would change the
// host. The alphabet keeps a key from naming a second file (CVE-2022-0811 was a '+').
Result<> check_sysctl(const Spec& spec, const std::string& key) {
  const auto where = "linux.sysctl " + quoted(key);
  const bool plain = std::ranges::all_of(key, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '/' || c == '_' || c == '-';
  });
  if (key.empty() || !plain || key.find("..") != std::string::npos || absolute(key))
    return bad_input(where + " is not the name of a setting");
  std::string name = key;
  std::ranges::replace(name, '/', '.');
  static constexpr std::array<std::string_view, 8> kIpc{
      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
      "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
  const char* needed = nullptr;
  if (std::ranges::find(kIpc, name) != kIpc.end() || name.starts_with("fs.mqueue.")) needed = "ipc";
  if (name.starts_with("net.")) needed = "network";
  if (name == "kernel.domainname") needed = "uts";
  if (name.starts_with("user.")) needed = "user";
  if (name == "kernel.hostname") return bad_input(where + ": use \"hostname\" instead");
  if (needed == nullptr) return bad_input(where + " belongs to no namespace: it would change the host");
  if (!has_namespace(spec, needed))
    return bad_input(where + " needs a " + needed +
                     " namespace in linux.namespaces: it would change the host");
  return {};
}

Result<> check_paths(const char* member, const std::vector<std::string>& paths) {
  for (const auto& path : paths)
    if (!absolute(path)) return bad_input(std::string(member) + ": " + quoted(path) + " must be absolute");
  return {};
}

Result<> check_time(const Spec& spec) {
  for (const auto& [clock, offset] : spec.linux_.time_offsets) {
    if (clock != "monotonic" && clock != "boottime")
      return bad_input("linux.timeOffsets: unknown clock " + quoted(clock));
    if (offset.nanoseconds >= 1'000'000'000)
      return bad_input("linux.timeOffsets." + clock + ".nanosecs must be less than 1000000000");
  }
  if (!spec.linux_.time_offsets.empty() && !has_new_namespace(spec, "time"))
    return bad_input("linux.timeOffsets need a new time namespace in linux.namespaces");
  return {};
}

}  // namespace

bool has_new_namespace(const Spec& spec, const char* type) {
  return std::ranges::any_of(spec.linux_.namespaces,
                             [&](const auto& one) { return one.type == type && one.path.empty(); });
}

bool has_namespace(const Spec& spec, const char* type) {
  return std::ranges::any_of(spec.linux_.namespaces, [&](const auto& one) { return one.type == type; });
}

Result<> validate(const Process& process) {
  if (process.args.empty() || process.args.front().empty())
    return bad_input("process.args must not be empty");
  if (!absolute(process.cwd)) return bad_input("process.cwd must be absolute, not " + quoted(process.cwd));
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000))
    return bad_input("process.oomScoreAdj must be between -1000 and 1000");
  if (process.capabilities)
    TRY(during("process.capabilities", capabilities::validate(*process.capabilities)));
  return during("process.rlimits", rlimits::validate(process.rlimits));
}

Result<> validate(const Spec& spec) {
  if (spec.oci_version.empty()) return bad_input("ociVersion is missing");
  if (!spec.oci_version.starts_with("1."))
    return bad_input("ociVersion " + quoted(spec.oci_version) + " is not supported; 1.x is");
  if (spec.root_path.empty()) return bad_input("root.path is missing");
  if (!spec.process) return bad_input("process is missing");
  TRY(validate(*spec.process));
  TRY(check_namespaces(spec));
  TRY(check_users(spec));
  if (!spec.hostname.empty() && !has_namespace(spec, "uts"))
    return bad_input("hostname needs a uts namespace in linux.namespaces");
  if (!spec.domainname.empty() && !has_namespace(spec, "uts"))
    return bad_input("domainname needs a uts namespace in linux.namespaces");
  TRY(check_mounts(spec));
  TRY(check_hooks(spec.hooks));
  TRY(check_devices(spec));
  TRY(check_paths("linux.maskedPaths", spec.linux_.masked_paths));
  TRY(check_paths("linux.readonlyPaths", spec.linux_.readonly_paths));
  for (const auto& [key, value] : spec.linux_.sysctl) TRY(check_sysctl(spec, key));
  static constexpr std::array<std::string_view, 9> kPropagations{
      "", "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable"};
  if (std::ranges::find(kPropagations, spec.linux_.rootfs_propagation) == kPropagations.end())
    return bad_input("linux.rootfsPropagation: unknown value " + quoted(spec.linux_.rootfs_propagation));
  return check_time(spec);
}

}  // namespace nacre::runtime::spec
