// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "base/result.h"
#include "fs/layer/layer.h"
#include "fs/model/open_files.h"
#include "fs/model/types.h"

namespace nacre::fs {

// A file that somebody has open: whose it is, and nothing of the data itself.
struct FileHandle {
  InodeId inode;
  OpenFileRef file;
};

// Handles by number: place in the table and generation, so that a stale one is recognised.
template <typename Handle>
class HandleTable {
 public:
  HandleId add(std::shared_ptr<Handle> handle) {
    const std::unique_lock lock(mutex_);
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(places_.size()));
      places_.emplace_back();
    }
    const std::uint32_t place = free_.back();
    free_.pop_back();
    places_[place].handle = std::move(handle);
    return {std::uint64_t{places_[place].generation} << 32 | place};
  }
  Result<std::shared_ptr<Handle>> get(HandleId id) const {
    const std::shared_lock lock(mutex_);
    const auto place = static_cast<std::uint32_t>(id.value);
    if (place >= places_.size() || places_[place].generation != id.value >> 32 || !places_[place].handle)
      return fail(EBADF);
    return places_[place].handle;
  }
  std::shared_ptr<Handle> remove(HandleId id) {
    const std::unique_lock lock(mutex_);
    const auto place = static_cast<std::uint32_t>(id.value);
    if (place >= places_.size() || places_[place].generation != id.value >> 32) return nullptr;
    ++places_[place].generation;
    free_.push_back(place);
    return std::move(places_[place].handle);
  }
  std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return places_.size() - free_.size();
  }

 private:
  struct Place {
    std::shared_ptr<Handle> handle;
    std::uint32_t generation = 0;
  };
  mutable std::shared_mutex mutex_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;
};

}  // namespace nacre::fs
