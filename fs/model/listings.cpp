// SPDX-License-Identifier: Apache-2.0
#include "fs/model/listings.h"

#include <algorithm>

namespace nacre::fs {

Listings::Ref Listings::find(InodeId dir) const {
  const std::lock_guard lock(mutex_);
  const auto kept = std::ranges::find(kept_, dir, &Kept::dir);
  return kept == kept_.end() ? nullptr : kept->listing;
}

void Listings::put(InodeId dir, Ref listing) {
  std::list<Kept> old;  // freed without the lock
  const std::lock_guard lock(mutex_);
  auto place = std::ranges::find(kept_, dir, &Kept::dir);
  if (place == kept_.end() && kept_.size() == kMost) --place;
  if (place != kept_.end()) old.splice(old.begin(), kept_, place);
  kept_.push_front({dir, std::move(listing)});
}

void Listings::drop(InodeId dir) {
  std::list<Kept> old;
  const std::lock_guard lock(mutex_);
  const auto place = std::ranges::find(kept_, dir, &Kept::dir);
  if (place != kept_.end()) old.splice(old.begin(), kept_, place);
}

void Listings::clear() {
  std::list<Kept> old;
  const std::lock_guard lock(mutex_);
  old.swap(kept_);
}

}  // namespace nacre::fs
