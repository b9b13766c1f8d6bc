// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>

#include <algorithm>
#include <cstdint>

#include "fs/layer/markers.h"
#include "fs/model/dir_offsets.h"
#include "fs/model/merged_dir.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

// One layer's part of a directory. Only what may be a whiteout is looked at closely.
Result<Listing> OverlayFs::list(LayerIndex index, const LayerDir& dir) {
  Layer& from = layer(index);
  Listing listing;
  auto raw = TRY(from.list(dir));
  listing.entries.reserve(raw.size());
  std::optional<bool> xattr_whiteouts;
  for (auto& entry : raw) {
    ListedEntry listed{std::move(entry.name), entry.ino, entry.type, false};
    if (entry.type == DT_CHR || entry.type == DT_UNKNOWN) {
      const auto attr = from.stat(dir, listed.name.c_str());
      if (!attr && attr.error().code == ENOENT) continue;
      if (!attr) return std::unexpected(attr.error());
      listed.type = static_cast<unsigned char>(IFTODT(attr->st_mode));
      listed.whiteout = is_whiteout(*attr);
    } else if (entry.type == DT_REG && index != kUpper) {
      if (!xattr_whiteouts) xattr_whiteouts = TRY(traits(from, dir, ".")).xattr_whiteouts;
      if (*xattr_whiteouts) listed.whiteout = TRY(is_xattr_whiteout(from, dir, listed.name.c_str()));
    }
    listing.entries.push_back(std::move(listed));
  }
  return listing;
}

Result<MergedListing> OverlayFs::merged_entries(const Node& node) {
  const auto layers = TRY(view(node));
  MergedListing entries;
  const auto parent = table_.location(node.id);
  const auto above = parent ? table_.get(parent->parent) : table_.get(kRootInode);
  entries.push_back({".", node.ino, S_IFDIR, 0});
  entries.push_back({"..", above ? above->ino : node.ino, S_IFDIR, 0});

  const auto lock = directory_locks_.read(node.id);
  std::vector<Listing> listings;
  std::vector<dev_t> devices;
  const auto add = [&](LayerIndex index, const LayerDir& dir) -> Result<> {
    listings.push_back(TRY(list(index, dir)));
    devices.push_back(TRY(layer(index).stat(dir, ".")).st_dev);
    return {};
  };
  if (layers.upper) TRY(add(kUpper, *layers.upper));
  for (const auto& [index, dir] : layers.lowers) TRY(add(index, *dir));

  const bool copies = layers.upper && impure(*layers.upper);
  for (auto& merged : merge(listings)) {
    const bool from_upper = merged.layer == 0 && layers.upper;
    const bool is_dir = merged.type == DT_DIR;
    std::uint64_t ino = numbers_.shown(devices[merged.layer], merged.ino);
    if (from_upper && !is_dir && copies)
      if (const auto own = number_in_upper(layers, merged.name.c_str(), devices[merged.layer], merged.ino))
        ino = *own;
    // A merged directory is shown by the number of its lower part, unless it is opaque.
    if (from_upper && is_dir && (merged.dir_below || copies))
      if (const auto found = find(layers, merged.name.c_str())) ino = found->ino;
    entries.push_back({std::move(merged.name), ino, static_cast<mode_t>(DTTOIF(merged.type)), 0});
  }
  assign_offsets(entries);
  return entries;
}

Result<bool> OverlayFs::is_empty(const View& layers) {
  std::vector<Listing> listings;
  if (layers.upper) listings.push_back(TRY(list(kUpper, *layers.upper)));
  for (const auto& [index, dir] : layers.lowers) listings.push_back(TRY(list(index, *dir)));
  return merge(listings).empty();
}

Result<> OverlayFs::readdir(InodeId dir, std::uint64_t offset,
                            const std::function<bool(const MergedEntry&)>& emit) {
  // rewinddir(3) shows what has changed.
  auto listing = offset == 0 ? nullptr : listings_.find(dir);
  if (!listing) {
    listing = std::make_shared<const MergedListing>(TRY(merged_entries(TRY(table_.get(dir)))));
    listings_.put(dir, listing);
  }
  const auto next = std::ranges::upper_bound(*listing, offset, {}, &MergedEntry::offset);
  if (next == listing->end()) listings_.drop(dir);
  static_cast<void>(std::all_of(next, listing->end(), emit));  // until it says that it has enough
  return {};
}

Result<> OverlayFs::fsyncdir(InodeId inode) {
  const auto node = TRY(table_.get(inode));
  if (!node.in_upper || !sync_) return {};
  const auto target = TRY(object(inode));
  return upper_->sync(target->get());
}

}  // namespace nacre::fs
