// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sys/mount.h"

namespace nacre::runtime::plan {

// A mount's "options", sorted by what has to be done with them (runtime-spec config.md "Linux
// mount options", mount(8), mount_setattr(2)).
struct MountOptions {
  bool bind = false;                             // "bind" or "rbind"
  bool recursive_bind = false;                   // "rbind"
  std::uint64_t set = 0, clear = 0;              // MOUNT_ATTR_* of the mount itself
  std::uint64_t set_below = 0, clear_below = 0;  // "rro" and the like: the mounts below as well
  std::uint64_t propagation = 0;                 // MS_PRIVATE …; 0: none asked for
  bool propagation_below = false;
  bool copy_up = false;  // "tmpcopyup": a tmpfs begins with what the root has at that place
  std::vector<sys::FsParameter> parameters;  // what is left: the file system's own
};

// An option that exists and that we cannot honour is an error; an unknown one is data for the
// file system.
Result<MountOptions> parse_mount_options(const std::vector<std::string>& options);

// Every option parse_mount_options() knows, sorted; "features" prints them.
std::vector<std::string> known_mount_options();

// "rslave" to MS_SLAVE and whether below; 0 for another text.
std::uint64_t propagation_flag(std::string_view name, bool& below);

}  // namespace nacre::runtime::plan
