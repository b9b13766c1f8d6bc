// SPDX-License-Identifier: Apache-2.0
// The lower layers were changed, or there are more of them, while they were in use: what was remembered
// of them goes.
#include <algorithm>

#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<> OverlayFs::add_layers(std::vector<std::unique_ptr<Layer>> layers) {
  TRY(lowers_.add(std::move(layers)));
  table_.set_lowers(kRootInode, lowers_.merged());
  return {};
}

// Which layers a directory is merged from, for those who have it open and ask for names in it without
// asking for its own again. What it is merged from depends on the directory it is in.
void OverlayFs::merge_anew() {
  struct Directory {
    std::size_t depth;
    InodeId inode;
  };
  std::vector<Directory> all;
  for (const InodeId inode : table_.all()) {
    const auto node = table_.get(inode);
    if (!node || !node->is_dir() || !node->linked || inode == kRootInode) continue;
    std::size_t depth = 0;
    for (auto place = table_.location(inode); place && place->parent != kRootInode; ++depth)
      place = table_.location(place->parent);
    all.push_back({depth, inode});
  }
  std::ranges::sort(all, {}, &Directory::depth);
  for (const auto& directory : all) {
    const auto place = table_.location(directory.inode);
    if (!place) continue;
    if (const auto entry = lookup(place->parent, place->name())) forget(entry->inode, 1);
  }
}

// Who has been told of old names may not have noted them yet, and would after they were dropped. Each holds
// the directory for as long as that takes.
void OverlayFs::settle() {
  if (kernel_cache_ == nullptr) return;
  for (const InodeId inode : table_.all())
    if (const auto node = table_.get(inode); node && node->is_dir()) kernel_cache_->drop_name(inode, ".");
}

void OverlayFs::reload() {
  names_stay_ = false;
  dirs_.clear();
  listings_.clear();
  settle();
  merge_anew();
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
