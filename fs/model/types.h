// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace nacre::fs {

// The name by which the kernel knows an inode: generation << 32 | slot. A slot is reused
// when the kernel has forgotten its inode, an id never is.
struct InodeId {
  std::uint64_t value = 0;

  std::uint32_t slot() const { return static_cast<std::uint32_t>(value); }
  std::uint32_t generation() const { return static_cast<std::uint32_t>(value >> 32); }
  bool operator==(const InodeId&) const = default;
};
inline constexpr InodeId kRootInode{1};  // as FUSE has it

// An open file or directory, as the kernel hands it back to us.
struct HandleId {
  std::uint64_t value = 0;
};

// Who asks. The ids count for what is made; the umask only where a new file has no default ACL to inherit.
struct Caller {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0;
  bool keeps_set_id = uid == 0;  // writing leaves set-id bits alone
};

// One component of a path, NUL-terminated, never empty, "." or "..".
using Name = const char*;

// What lookup and its relatives answer. The kernel counts one reference for each.
struct Entry {
  InodeId inode;
  struct stat attr {};
  // False where the attributes may change without the kernel noticing.
  bool cacheable = true;
};

// Number of a layer: 0 is the upper, 1 the topmost lower.
using LayerIndex = std::uint16_t;
inline constexpr LayerIndex kUpper = 0;

}  // namespace nacre::fs

template <>
struct std::hash<nacre::fs::InodeId> {
  std::size_t operator()(nacre::fs::InodeId id) const noexcept {
    return static_cast<std::size_t>(id.value * 0x9e3779b97f4a7c15ULL >> 17);
  }
};
