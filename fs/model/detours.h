// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fs/model/types.h"

namespace nacre::fs {

// Directories that lower layers have under another name than the one they are shown by, because
// a layer above says so ("overlay.redirect"). There are few of them. Thread-safe.
class Detours {
 public:
  struct Place {
    LayerIndex layer;
    std::string path;  // from the layer's root, without a slash in front
  };

  void put(InodeId inode, std::vector<Place> places) {
    const std::lock_guard lock(mutex_);
    places_[inode] = std::move(places);
    any_ = true;
  }
  // Nothing: it has its own name in that layer.
  std::optional<std::string> find(InodeId inode, LayerIndex layer) const {
    if (!any_) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto known = places_.find(inode);
    if (known == places_.end()) return std::nullopt;
    for (const auto& place : known->second)
      if (place.layer == layer) return place.path;
    return std::nullopt;
  }
  void drop(InodeId inode) {
    if (!any_) return;
    const std::lock_guard lock(mutex_);
    places_.erase(inode);
  }

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> any_{false};
  std::unordered_map<InodeId, std::vector<Place>> places_;
};

}  // namespace nacre::fs
