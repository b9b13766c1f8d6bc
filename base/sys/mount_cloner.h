// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
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
  // Another kind clones in its way, for tests.
  explicit MountCloner(Helpers& helpers, const HelperKind& kind = kKind) : helper_(helpers, kind) {}

  // Has the first clone() wait less.
  Result<> prepare() { return helper_.prepare(); }

  struct Wanted {
    std::string name;  // in the directory
    bool writable = false;
  };
  // Detached mounts of these files in `directory`, which lies below the root, in their order. ETIMEDOUT when
  // nobody serves the file system for 4 s.
  Result<std::vector<UniqueFd>> clone(const std::string& directory, const std::vector<Wanted>& wanted);
  // The same in two steps, between which the caller does something else, but nothing with this. The second
  // waits until 4 s have passed since the first.
  Result<> begin(const std::string& directory, const std::vector<Wanted>& wanted);
  Result<std::vector<UniqueFd>> finish();
  // Readable when finish() need not wait.
  int descriptor() const { return helper_.descriptor(); }

 private:
  Helper helper_;
  std::string directory_;  // of what was begun
  std::size_t count_ = 0;
  std::chrono::steady_clock::time_point begun_at_;
};

}  // namespace nacre::sys
