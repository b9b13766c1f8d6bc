// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

// The default profile as data; default_profile.cpp turns it into rules.
namespace nacre::runtime::seccomp {

using Names = std::span<const std::string_view>;

// Allowed in every container.
Names always_allowed();

// Refused with EPERM in every container, because the default (ENOSYS) would tell programs that the
// kernel is too old.
Names always_refused();

// Allowed with any of the capabilities, refused with EPERM without.
struct CapabilityGroup {
  std::vector<std::string_view> capabilities;
  std::vector<std::string_view> names;
};
const std::vector<CapabilityGroup>& capability_groups();

// New namespaces and mounts in them: with CAP_SYS_ADMIN, or for containers that hold containers.
Names namespace_calls();

// The answer for some values of one argument: (argument & mask) == value. Kernel parameters of 32
// bits are compared in 32 bits, so that rubbish above them cannot slip through.
struct ArgumentRule {
  std::string_view name;
  unsigned argument;
  std::uint64_t mask, value;
  int refused_with = 0;  // an errno; 0: allowed
};
std::span<const ArgumentRule> argument_rules();
// The same for containers that may not make namespaces.
std::span<const ArgumentRule> clone_rules();

}  // namespace nacre::runtime::seccomp
