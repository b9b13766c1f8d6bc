// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/sched.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace nacre::runtime::spec {

struct NamespaceType {
  std::string_view name;  // in the specification
  std::string_view file;  // in /proc/PID/ns
  int flag = 0;           // of clone(2), setns(2) and NS_GET_NSTYPE
};
inline constexpr std::array kNamespaceTypes{
    NamespaceType{"user", "user", CLONE_NEWUSER},  NamespaceType{"cgroup", "cgroup", CLONE_NEWCGROUP},
    NamespaceType{"ipc", "ipc", CLONE_NEWIPC},     NamespaceType{"uts", "uts", CLONE_NEWUTS},
    NamespaceType{"network", "net", CLONE_NEWNET}, NamespaceType{"time", "time", CLONE_NEWTIME},
    NamespaceType{"pid", "pid", CLONE_NEWPID},     NamespaceType{"mount", "mnt", CLONE_NEWNS}};

// 0 for a name that is none of them.
constexpr int namespace_flag(std::string_view name) {
  const auto* const found = std::ranges::find(kNamespaceTypes, name, &NamespaceType::name);
  return found == kNamespaceTypes.end() ? 0 : found->flag;
}

}  // namespace nacre::runtime::spec
