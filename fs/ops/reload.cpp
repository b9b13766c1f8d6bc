// SPDX-License-Identifier: Apache-2.0
// The lower layers were changed while they were in use: what was remembered of them goes.
#include "fs/overlay_fs.h"

namespace nacre::fs {

void OverlayFs::reload() {
  names_stay_ = false;
  dirs_.clear();
  if (kernel_cache_ == nullptr) return;
  // One by one only where the kernel cannot forget all names at once.
  const bool names_dropped = kernel_cache_->drop_all_names();
  for (const InodeId inode : table_.all()) {
    kernel_cache_->drop_data(inode);
    const auto node = table_.get(inode);
    if (names_dropped || !node || !node->is_dir()) continue;
    // Names that are there now may have been remembered as absent.
    const auto layers = view(*node);
    if (!layers) continue;
    for (const auto& [index, dir] : layers->lowers)
      if (const auto entries = layer(index).list(*dir))
        for (const auto& entry : *entries) kernel_cache_->drop_name(inode, entry.name.c_str());
    for (const auto& name : table_.names_in(inode)) kernel_cache_->drop_name(inode, name.c_str());
  }
}

}  // namespace nacre::fs
