// SPDX-License-Identifier: Apache-2.0
#include "procfs/visitors.h"

#include <algorithm>

namespace nacre::procfs {

ContainerRef Visitors::find(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

ContainerRef Visitors::add(std::string key, ContainerRef container) {
  entries_.emplace_front(std::move(key), std::move(container));
  by_key_.emplace(entries_.front().first, entries_.begin());
  ++added_;
  if (entries_.size() <= capacity_) return nullptr;
  auto gone = entries_.back().second;
  by_key_.erase(entries_.back().first);
  entries_.pop_back();
  return gone;
}

void Visitors::remove(std::string_view key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto entry = found->second;
  by_key_.erase(found);
  entries_.erase(entry);
}

void Visitors::swept() {
  added_ = 0;
  enough_ = std::max(kSomeAdded, entries_.size());
}

}  // namespace nacre::procfs
