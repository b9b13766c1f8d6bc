// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

#include <unistd.h>

namespace nacre::fs {

OverlayFs::OverlayFs(OverlayConfig config, const Found& root)
    : upper_(std::move(config.upper)),
      lowers_(config.data_only_layers),
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
      most_inodes_(config.most_inodes),
      on_crowded_(std::move(config.on_crowded)),
      crowded_at_(config.most_inodes),
      most_kept_files_(config.open_lower_files) {}

Result<std::unique_ptr<OverlayFs>> OverlayFs::create(OverlayConfig config) {
  Layer& top = config.upper ? static_cast<Layer&>(*config.upper) : *config.lowers.front();
  Found root;
  root.attr = TRY(top.stat(*top.root(), "."));
  root.ino = root.attr.st_ino;
  root.in_upper = config.upper != nullptr;
  auto lowers = std::move(config.lowers);
  std::unique_ptr<OverlayFs> fs(new OverlayFs(std::move(config), root));
  // The first device to be seen is the one whose numbers are shown unchanged.
  static_cast<void>(fs->numbers_.shown(root.attr.st_dev, root.ino));
  TRY(fs->add_layers(std::move(lowers)));
  return fs;
}

Statistics OverlayFs::statistics() const {
  return {.inodes = table_.size(),
          .handles = handles_.size(),
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
    listings_.drop(inode);
    dirs_.drop(inode, kUpper);
    for (auto index = lowers_.top(); index <= lowers_.last(); ++index) dirs_.drop(inode, index);
  }
}

}  // namespace nacre::fs
