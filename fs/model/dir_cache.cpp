// SPDX-License-Identifier: Apache-2.0
#include "fs/model/dir_cache.h"

namespace nacre::fs {

DirRef DirCache::get(InodeId inode, LayerIndex layer) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find({inode, layer});
  if (place == places_.end()) return nullptr;
  order_.splice(order_.begin(), order_, place->second);
  return place->second->dir;
}

void DirCache::put(InodeId inode, LayerIndex layer, DirRef dir) {
  DirRef evicted;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  const Key key{inode, layer};
  if (const auto place = places_.find(key); place != places_.end()) {
    place->second->dir.swap(dir);
    return;
  }
  if (order_.size() >= capacity_) {
    evicted = std::move(order_.back().dir);
    places_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front({key, std::move(dir)});
  places_.emplace(key, order_.begin());
}

void DirCache::drop(InodeId inode, LayerIndex layer) {
  DirRef dropped;
  const std::lock_guard lock(mutex_);
  const auto place = places_.find({inode, layer});
  if (place == places_.end()) return;
  dropped = std::move(place->second->dir);
  order_.erase(place->second);
  places_.erase(place);
}

void DirCache::clear() {
  Order dropped;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  dropped.swap(order_);
  places_.clear();
}

std::size_t DirCache::size() const {
  const std::lock_guard lock(mutex_);
  return order_.size();
}

}  // namespace nacre::fs
