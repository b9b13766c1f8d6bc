// SPDX-License-Identifier: Apache-2.0
// From an inode to its place in the layers.
#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<DirRef> OverlayFs::dir(InodeId inode, LayerIndex index) {
  if (inode == kRootInode) return layer(index).root();
  if (auto cached = dirs_.get(inode, index)) return cached;
  auto opened = TRY(located(
      inode, index, [&](const LayerDir& parent, Name name) { return layer(index).open_dir(parent, name); }));
  dirs_.put(inode, index, opened);
  return opened;
}

Result<DirRef> OverlayFs::upper_dir(InodeId inode) {
  TRY(copy_up(inode));
  return dir(inode, kUpper);
}

Result<OverlayFs::View> OverlayFs::view(const Node& node) {
  if (!node.is_dir()) return fail(ENOTDIR);
  View view;
  if (node.in_upper) view.upper = TRY(dir(node.id, kUpper));
  view.lowers.reserve(node.lowers.size());
  for (const LayerIndex index : node.lowers) view.lowers.push_back({index, TRY(dir(node.id, index))});
  return view;
}

Result<OverlayFs::UpperEntry> OverlayFs::upper_entry(const View& view, Name name) {
  if (!view.upper) return UpperEntry{};
  const auto attr = upper_->stat(*view.upper, name);
  if (!attr && attr.error().code == ENOENT) return UpperEntry{};
  if (!attr) return std::unexpected(attr.error());
  const bool whiteout = S_ISCHR(attr->st_mode) && attr->st_rdev == 0;
  return UpperEntry{whiteout ? UpperState::whiteout : UpperState::present, *attr};
}

Result<DataRef> OverlayFs::object(InodeId inode) {
  if (inode == kRootInode)
    return std::make_shared<const UniqueFd>(TRY(upper_->open_object(*upper_->root(), ".")));
  for (int attempt = 0;; ++attempt) {
    if (const auto file = files_.find(inode)) {
      const std::lock_guard lock(file->mutex);
      if (file->orphan) return file->orphan;
      if (file->data) return file->data;
    }
    auto opened = located(
        inode, kUpper, [&](const LayerDir& parent, Name name) { return upper_->open_object(parent, name); });
    if (opened) return std::make_shared<const UniqueFd>(std::move(*opened));
    // Its last name may have gone just now: then it is an orphan.
    if (opened.error().code != ENOENT || attempt > 0) return std::unexpected(opened.error());
  }
}

// Attributes as the layer has them, of the data that counts now.
Result<struct stat> OverlayFs::attributes(const Node& node) {
  if (node.id == kRootInode) {
    Layer& top = upper_ ? static_cast<Layer&>(*upper_) : *lowers_.front();
    return top.stat(*top.root(), ".");
  }
  for (int attempt = 0;; ++attempt) {
    if (const auto file = files_.find(node.id)) {
      const std::lock_guard lock(file->mutex);
      if (const auto& fd = file->orphan ? file->orphan : file->data) return sys::stat_fd(fd->get());
    }
    const LayerIndex index = node.in_upper ? kUpper : node.is_dir() ? node.lowers.front() : node.layer;
    auto attr = located(node.id, index,
                        [&](const LayerDir& parent, Name name) { return layer(index).stat(parent, name); });
    if (attr || attr.error().code != ENOENT || attempt > 0) return attr;
  }
}

// What is shown differs from what the layer says.
void OverlayFs::finish(const Node& node, struct stat& attr) const {
  attr.st_ino = node.ino;
  if (node.is_dir()) {
    // As in kernel overlayfs: 1 says that the links of a merged directory are not counted.
    if (!node.linked)
      attr.st_nlink = 0;
    else if (node.merged())
      attr.st_nlink = 1;
  } else if (!node.linked && !node.in_upper && attr.st_nlink > 0) {
    --attr.st_nlink;  // removed here, while the lower layer still counts the name
  }
}

}  // namespace nacre::fs
