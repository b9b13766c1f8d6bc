// SPDX-License-Identifier: Apache-2.0
#include <sys/capability.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "runtime/cli/commands.h"
#include "runtime/plan/mount_options.h"

namespace nacre::runtime::cli {
namespace {

// Those of the running kernel.
std::vector<std::string> capability_names() {
  std::vector<std::string> names;
  for (cap_value_t value = 0; value < ::cap_max_bits(); ++value) {
    char* const known = ::cap_to_name(value);
    if (known == nullptr) continue;
    std::string name = known;
    ::cap_free(known);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    names.push_back(std::move(name));
  }
  return names;
}

// features.md and features-linux.md of the runtime specification.
std::string features() {
  using nlohmann::ordered_json;
  ordered_json out{{"ociVersionMin", "1.0.0"}, {"ociVersionMax", "1.2.0"}};
  out["hooks"] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
  out["mountOptions"] = plan::known_mount_options();
  auto& linux = out["linux"];
  linux["namespaces"] = {"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"};
  linux["capabilities"] = capability_names();
  linux["cgroup"] = {{"v1", true}, {"v2", true}, {"systemd", false}, {"systemdUser", false}, {"rdma", false}};
  linux["seccomp"] = {
      {"enabled", true},
      {"actions",
       {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"}},
      {"operators",
       {"SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
        "SCMP_CMP_MASKED_EQ"}}};
  linux["apparmor"] = {{"enabled", true}};
  linux["selinux"] = {{"enabled", true}};
  linux["intelRdt"] = {{"enabled", false}};
  linux["mountExtensions"] = {{"idmap", {{"enabled", false}}}};
  out["annotations"] = ordered_json::object();
  // Who may set these decides what a container sees of the machine.
  out["potentiallyUnsafeConfigAnnotations"] = {"org.nacre."};
  return out.dump(2) + "\n";
}

}  // namespace

void declare_features(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("features", "print what this runtime can do as JSON");
  command->callback([&call] {
    call.action = []() -> Result<int> {
      TRY(print(features()));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
