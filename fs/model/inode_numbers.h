// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace nacre::fs {

// The inode numbers that users see. Those of the first device are shown as they are, those
// of others carry the device's place in the top bits, as kernel overlayfs's xino does. A
// file keeps its number when it is copied up. Thread-safe.
class InodeNumbers {
 public:
  std::uint64_t shown(dev_t device, std::uint64_t ino);
  // For copies that cannot remember their origin by themselves.
  std::optional<std::uint64_t> copied(std::uint64_t upper_ino);
  void copied_up(std::uint64_t upper_ino, std::uint64_t shown);
  // The upper object is gone; its number may come back as another file.
  void removed(std::uint64_t upper_ino);

 private:
  std::mutex mutex_;
  std::vector<dev_t> devices_;
  std::unordered_map<std::uint64_t, std::uint64_t> copies_;
};

}  // namespace nacre::fs
