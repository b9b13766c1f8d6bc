// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/sys/helpers.h"
#include "base/unique_fd.h"

namespace nacre::sys {

// Clones mounts of the file system that this process serves itself, by a helper: who asks itself, and is
// killed before it has answered, would never end. The descriptor that helpers keep is the file system's root.
class MountCloner {
 public:
  static const HelperKind kKind;
  explicit MountCloner(Helpers& helpers) : helper_(helpers, kKind) {}

  // Has the first clone() wait less.
  Result<> prepare() { return helper_.prepare(); }

  struct Wanted {
    std::string name;  // in the directory
    bool writable = false;
  };
  // Detached mounts of these files in `directory`, which lies below the root, in their order. ETIMEDOUT when
  // nobody serves the file system for 5 s.
  Result<std::vector<UniqueFd>> clone(const std::string& directory, const std::vector<Wanted>& wanted);

 private:
  Helper helper_;
};

}  // namespace nacre::sys
