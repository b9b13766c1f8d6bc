// SPDX-License-Identifier: Apache-2.0
#include "fs/model/inode_numbers.h"

#include <algorithm>

namespace nacre::fs {

std::uint64_t InodeNumbers::shown(dev_t device, std::uint64_t ino) {
  constexpr int kShift = 48;
  const std::lock_guard lock(mutex_);
  auto place = std::ranges::find(devices_, device);
  if (place == devices_.end()) place = devices_.insert(place, device);
  return ino ^ static_cast<std::uint64_t>(place - devices_.begin()) << kShift;
}

std::optional<std::uint64_t> InodeNumbers::copied(std::uint64_t upper_ino) {
  const std::lock_guard lock(mutex_);
  const auto copy = copies_.find(upper_ino);
  return copy == copies_.end() ? std::nullopt : std::optional(copy->second);
}

void InodeNumbers::copied_up(std::uint64_t upper_ino, std::uint64_t shown) {
  const std::lock_guard lock(mutex_);
  copies_[upper_ino] = shown;
}

void InodeNumbers::removed(std::uint64_t upper_ino) {
  const std::lock_guard lock(mutex_);
  copies_.erase(upper_ino);
}

}  // namespace nacre::fs
