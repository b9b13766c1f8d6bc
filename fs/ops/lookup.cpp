// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

#include <cstdint>

namespace nacre::fs {

Result<Entry> OverlayFs::lookup(InodeId parent, Name name) {
  const auto node = TRY(table_.get(parent));
  const auto layers = TRY(view(node));
  InodeId inode;
  struct stat attr {};
  {
    const auto lock = directory_locks_.read(parent);
    const auto found = TRY(find(layers, name));
    inode = TRY(table_.remember(parent, name, found));
    attr = found.attr;
  }
  const auto child = TRY(table_.get(inode));
  finish(child, attr);
  return Entry{inode, attr, cacheable(inode, attr)};
}

void OverlayFs::forget(InodeId inode, std::uint64_t count) { drop(table_.forget(inode, count)); }

}  // namespace nacre::fs
