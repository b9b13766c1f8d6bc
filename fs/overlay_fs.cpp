// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

#include <unistd.h>

#include <algorithm>

namespace nacre::fs {

OverlayFs::OverlayFs(OverlayConfig config, const Found& root)
    : upper_(std::move(config.upper)),
      lowers_(std::move(config.lowers)),
      merged_layers_(static_cast<LayerIndex>(lowers_.size() - config.data_only_layers)),
      redirect_dir_(config.redirect_dir),
      metacopy_(config.metacopy),
      names_stay_(config.names_stay),
      sync_(config.sync),
      users_(std::move(config.users)),
      groups_(std::move(config.groups)),
      passthrough_(config.passthrough),
      kernel_cache_(config.kernel_cache),
      own_uid_(::geteuid()),
      own_gid_(::getegid()),
      table_(root),
      dirs_(config.open_directories),
      most_kept_files_(config.open_lower_files) {}

Result<std::unique_ptr<OverlayFs>> OverlayFs::create(OverlayConfig config) {
  Layer& top = config.upper ? static_cast<Layer&>(*config.upper) : *config.lowers.front();
  Found root;
  root.attr = TRY(top.stat(*top.root(), "."));
  root.ino = root.attr.st_ino;
  root.in_upper = config.upper != nullptr;
  for (std::size_t i = 0; i + config.data_only_layers < config.lowers.size(); ++i)
    root.lowers.push_back(static_cast<LayerIndex>(i + 1));
  const dev_t device = root.attr.st_dev;
  std::unique_ptr<OverlayFs> fs(new OverlayFs(std::move(config), root));
  // The first device to be seen is the one whose numbers are shown unchanged.
  static_cast<void>(fs->numbers_.shown(device, root.ino));
  std::vector<dev_t> devices;
  for (std::size_t i = 0; i < fs->lowers_.size(); ++i) {
    const auto attr = TRY(fs->lowers_[i]->stat(*fs->lowers_[i]->root(), "."));
    if (std::ranges::find(devices, attr.st_dev) != devices.end()) continue;
    devices.push_back(attr.st_dev);
    fs->origin_layers_.push_back(static_cast<LayerIndex>(i + 1));
  }
  return fs;
}

Statistics OverlayFs::statistics() const {
  return {.inodes = table_.size(),
          .handles = handles_.size() + dir_handles_.size(),
          .open_directories = dirs_.size(),
          .reads = reads_,
          .writes = writes_,
          .passed_through = passed_through_};
}

// The inodes are gone, and with them what we held for their sake.
void OverlayFs::drop(const std::vector<InodeId>& gone) {
  for (const InodeId inode : gone) {
    files_.drop(inode);
    detours_.drop(inode);
    for (std::size_t index = 0; index <= lowers_.size(); ++index)
      dirs_.drop(inode, static_cast<LayerIndex>(index));
  }
}

}  // namespace nacre::fs
