// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan/mount_options.h"

#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace nacre::runtime::plan {
namespace {

struct Attribute {
  std::string_view name;
  std::uint64_t set, clear;
};

// Each also with an "r" in front, which means the mounts below as well.
constexpr std::array kAttributes{
    Attribute{"ro", MOUNT_ATTR_RDONLY, 0},
    Attribute{"rw", 0, MOUNT_ATTR_RDONLY},
    Attribute{"nosuid", MOUNT_ATTR_NOSUID, 0},
    Attribute{"suid", 0, MOUNT_ATTR_NOSUID},
    Attribute{"nodev", MOUNT_ATTR_NODEV, 0},
    Attribute{"dev", 0, MOUNT_ATTR_NODEV},
    Attribute{"noexec", MOUNT_ATTR_NOEXEC, 0},
    Attribute{"exec", 0, MOUNT_ATTR_NOEXEC},
    Attribute{"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    Attribute{"diratime", 0, MOUNT_ATTR_NODIRATIME},
    Attribute{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    Attribute{"norelatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    Attribute{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    Attribute{"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    Attribute{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    Attribute{"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    Attribute{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    Attribute{"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
};

// Flags of the superblock, which fsconfig(2) takes by name.
constexpr std::array<std::string_view, 7> kSuperblockFlags{"sync",       "async", "dirsync", "lazytime",
                                                           "nolazytime", "mand",  "nomand"};

// Understood, and nothing to do: defaults, or of no effect on today's kernels.
constexpr std::array<std::string_view, 8> kNothing{"defaults",   "silent", "loud",  "iversion",
                                                   "noiversion", "acl",    "noacl", "remount"};

constexpr std::array<std::string_view, 5> kRefused{"idmap", "ridmap", "copy-symlink", "src-nofollow",
                                                   "dest-nofollow"};

constexpr std::array<std::string_view, 8> kPropagations{"private", "rprivate", "shared",     "rshared",
                                                        "slave",   "rslave",   "unbindable", "runbindable"};

const Attribute* attribute(std::string_view name) {
  const auto found = std::ranges::find(kAttributes, name, &Attribute::name);
  return found == kAttributes.end() ? nullptr : &*found;
}

// Later options win over earlier ones.
void merge(std::uint64_t& set, std::uint64_t& clear, const Attribute& attribute) {
  set = (set & ~attribute.clear) | attribute.set;
  clear = (clear & ~attribute.set) | attribute.clear;
}

template <std::size_t N>
bool in(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

sys::FsParameter parameter(const std::string& option) {
  const auto equals = option.find('=');
  if (equals == std::string::npos) return {option, ""};
  return {option.substr(0, equals), option.substr(equals + 1)};
}

}  // namespace

std::uint64_t propagation_flag(std::string_view name, bool& below) {
  below = name.starts_with('r');
  if (below) name.remove_prefix(1);
  if (name == "private") return MS_PRIVATE;
  if (name == "shared") return MS_SHARED;
  if (name == "slave") return MS_SLAVE;
  if (name == "unbindable") return MS_UNBINDABLE;
  return 0;
}

Result<MountOptions> parse_mount_options(const std::vector<std::string>& options) {
  MountOptions out;
  for (const auto& option : options) {
    const std::string_view name = option;
    if (name.empty() || in(kNothing, name)) continue;
    if (name == "bind" || name == "rbind") {
      out.bind = true;
      out.recursive_bind = name == "rbind";
    } else if (in(kPropagations, name)) {
      out.propagation = propagation_flag(name, out.propagation_below);
    } else if (name == "tmpcopyup") {
      out.copy_up = true;
    } else if (in(kRefused, name) || name.starts_with("idmap=") || name.starts_with("ridmap=")) {
      return bad_input("mount option \"" + option + "\" is not supported");
    } else if (const auto* one = attribute(name)) {
      merge(out.set, out.clear, *one);
    } else if (const auto* below = name.starts_with('r') ? attribute(name.substr(1)) : nullptr) {
      merge(out.set_below, out.clear_below, *below);
    } else {
      out.parameters.push_back(parameter(option));
    }
  }
  return out;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> names{"bind", "rbind", "tmpcopyup"};
  for (const auto& one : kAttributes) {
    names.emplace_back(one.name);
    names.push_back("r" + std::string(one.name));
  }
  for (const auto name : kPropagations) names.emplace_back(name);
  for (const auto name : kSuperblockFlags) names.emplace_back(name);
  for (const auto name : kNothing) names.emplace_back(name);
  std::ranges::sort(names);
  return names;
}

}  // namespace nacre::runtime::plan
