// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fs/model/types.h"

namespace nacre::fs {

struct MergedEntry {
  std::string name;
  std::uint64_t ino = 0;
  mode_t type = 0;           // S_IFMT bits
  std::uint64_t offset = 0;  // where to go on after it; see fs/model/dir_offsets.h
};
using MergedListing = std::vector<MergedEntry>;  // by offset

// What directories listed when their readers began, for those who are not at the end yet: only the last
// few, since a listing can be made again at any time. Thread-safe.
class Listings {
 public:
  using Ref = std::shared_ptr<const MergedListing>;

  Ref find(InodeId dir) const;  // null when there is none
  void put(InodeId dir, Ref listing);
  void drop(InodeId dir);
  void clear();

 private:
  static constexpr std::size_t kMost = 32;
  struct Kept {
    InodeId dir;
    Ref listing;
  };
  mutable std::mutex mutex_;
  std::list<Kept> kept_;  // the newest first
};

}  // namespace nacre::fs
