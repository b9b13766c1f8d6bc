// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <list>
#include <mutex>
#include <unordered_map>

#include "fs/layer/layer.h"
#include "fs/model/types.h"

namespace nacre::fs {

// Directories of layers that are open, the most recently used ones. Thread-safe.
class DirCache {
 public:
  explicit DirCache(std::size_t capacity) : capacity_(capacity) {}

  DirRef get(InodeId inode, LayerIndex layer);  // null if not cached
  void put(InodeId inode, LayerIndex layer, DirRef dir);
  void drop(InodeId inode, LayerIndex layer);
  void clear();
  std::size_t size() const;

 private:
  struct Key {
    InodeId inode;
    LayerIndex layer;
    bool operator==(const Key&) const = default;
  };
  struct HashKey {
    std::size_t operator()(const Key& key) const { return std::hash<InodeId>{}(key.inode) * 31 + key.layer; }
  };
  struct Cached {
    Key key;
    DirRef dir;
  };
  using Order = std::list<Cached>;  // most recently used first

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  Order order_;
  std::unordered_map<Key, Order::iterator, HashKey> places_;
};

}  // namespace nacre::fs
