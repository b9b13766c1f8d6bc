// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

#include <unistd.h>

namespace nacre::fs {

OverlayFs::OverlayFs(OverlayConfig config, const Found& root)
    : upper_(std::move(config.upper)),
      lowers_(std::move(config.lowers)),
      sync_(config.sync),
      own_uid_(::geteuid()),
      own_gid_(::getegid()),
      table_(root),
      dirs_(config.open_directories) {}

Result<std::unique_ptr<OverlayFs>> OverlayFs::create(OverlayConfig config) {
  Layer& top = config.upper ? static_cast<Layer&>(*config.upper) : *config.lowers.front();
  Found root;
  root.attr = TRY(top.stat(*top.root(), "."));
  root.ino = root.attr.st_ino;
  root.in_upper = config.upper != nullptr;
  for (std::size_t i = 0; i < config.lowers.size(); ++i)
    root.lowers.push_back(static_cast<LayerIndex>(i + 1));
  const dev_t device = root.attr.st_dev;
  std::unique_ptr<OverlayFs> fs(new OverlayFs(std::move(config), root));
  // The first device to be seen is the one whose numbers are shown unchanged.
  static_cast<void>(fs->numbers_.shown(device, root.ino));
  return fs;
}

Statistics OverlayFs::statistics() const {
  return {.inodes = table_.size(),
          .handles = handles_.size() + dir_handles_.size(),
          .open_directories = dirs_.size(),
          .reads = reads_,
          .writes = writes_};
}

// The inodes are gone, and with them what we held for their sake.
void OverlayFs::drop(const std::vector<InodeId>& gone) {
  for (const InodeId inode : gone) {
    files_.drop(inode);
    for (std::size_t index = 0; index <= lowers_.size(); ++index)
      dirs_.drop(inode, static_cast<LayerIndex>(index));
  }
}

}  // namespace nacre::fs
