// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

#include <cstdint>

namespace nacre::fs {

// What is known already is asked about again before a name is made or replaced. Nobody but us
// changes the layers, so there is no need to look at them all.
std::optional<Entry> OverlayFs::known(InodeId parent, Name name) {
  if (!names_stay_) return std::nullopt;
  const auto inode = table_.refer(parent, name);
  if (!inode) return std::nullopt;
  if (const auto node = table_.get(*inode)) {
    if (auto attr = attributes(*node)) {
      finish(*node, *attr);
      return Entry{*inode, *attr, cacheable(*inode, *attr)};
    }
  }
  forget(*inode, 1);
  return std::nullopt;
}

Result<Entry> OverlayFs::lookup(InodeId parent, Name name) {
  if (auto entry = known(parent, name)) return std::move(*entry);
  const auto node = TRY(table_.get(parent));
  const auto layers = TRY(view(node));
  InodeId inode;
  struct stat attr {};
  {
    const auto lock = directory_locks_.read(parent);
    auto found = TRY(find(layers, name));
    // What the index says must not be old when the table learns it.
    std::shared_lock index_lock(index_mutex_, std::defer_lock);
    if (!found.index_entry.empty()) {
      index_lock.lock();
      TRY(settle_in_index(found));
    }
    inode = TRY(table_.remember(parent, name, found));
    if (!found.detours.empty())
      detours_.put(inode, std::move(found.detours));
    else if (found.is_dir())
      detours_.drop(inode);
    attr = found.attr;
  }
  look_for_a_crowd();
  const auto child = TRY(table_.get(inode));
  finish(child, attr);
  return Entry{inode, attr, cacheable(inode, attr)};
}

}  // namespace nacre::fs
