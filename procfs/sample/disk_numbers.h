// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "procfs/state/state_file.h"

namespace nacre::procfs {

// Short numbers for the machine's disks, by which node ids tell them apart. One that was given is never
// another disk's, for a successor of this daemon neither. From any thread.
class DiskNumbers {
 public:
  // With what a predecessor has left in `state`, which may be null.
  explicit DiskNumbers(StateFile* state);

  // Nothing when all numbers are given, or this one could not be kept.
  std::optional<std::uint16_t> of(unsigned major, unsigned minor);

 private:
  StateFile* const state_;
  std::mutex mutex_;  // takes StateFile's
  std::map<std::pair<unsigned, unsigned>, std::uint16_t> numbers_;
};

}  // namespace nacre::procfs
