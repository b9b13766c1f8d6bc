// SPDX-License-Identifier: Apache-2.0
// From an inode to its place in the layers.
#include <algorithm>

#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<DirRef> OverlayFs::dir(InodeId inode, LayerIndex index) {
  if (inode == kRootInode) return layer(index).root();
  if (auto cached = dirs_.get(inode, index)) return cached;
  const auto detour = index == kUpper ? std::nullopt : detours_.find(inode, index);
  auto opened = detour ? TRY(open_detour(index, *detour))
                       : TRY(located(inode, index, [&](const LayerDir& parent, Name name) {
                           return layer(index).open_dir(parent, name);
                         }));
  // It may have moved meanwhile: then what has its new name in that layer is something else.
  if (!detour && index != kUpper && detours_.find(inode, index)) return dir(inode, index);
  dirs_.put(inode, index, opened);
  return opened;
}

Result<DirRef> OverlayFs::upper_dir(InodeId inode) {
  TRY(copy_up(inode));
  return dir(inode, kUpper);
}

Result<OverlayFs::View> OverlayFs::view(const Node& node) {
  if (!node.is_dir()) return fail(ENOTDIR);
  View view{.dir = node.id, .upper = {}, .lowers = {}};
  if (node.in_upper) view.upper = TRY(dir(node.id, kUpper));
  view.lowers.reserve(node.lowers.size());
  for (const LayerIndex index : node.lowers) view.lowers.push_back({index, TRY(dir(node.id, index))});
  return view;
}

Result<OverlayFs::UpperEntry> OverlayFs::upper_entry(const View& view, Name name) {
  if (!view.upper) return UpperEntry{};
  const auto attr = upper_->stat(*view.upper, name);
  if (attr) return UpperEntry{is_whiteout(*attr) ? UpperState::whiteout : UpperState::present, *attr};
  if (attr.error().code != ENOENT) return std::unexpected(attr.error());
  if (view.lowers.empty()) return UpperEntry{};  // then a marker has nothing to remove
  const auto marker = upper_->stat(*view.upper, marker_of(name).c_str());
  if (marker) return UpperEntry{UpperState::whiteout, {}, true};
  if (marker.error().code != ENOENT && marker.error().code != ENAMETOOLONG)
    return std::unexpected(marker.error());
  return UpperEntry{};
}

// A name that ".wh.NAME" removed was given to something new.
void OverlayFs::drop_marker(const LayerDir& dir, Name name, const UpperEntry& before) {
  if (before.by_marker) static_cast<void>(upper_->remove(dir, marker_of(name).c_str(), false));
}

Result<DataRef> OverlayFs::object(InodeId inode) {
  if (inode == kRootInode)
    return std::make_shared<const UniqueFd>(TRY(upper_->open_object(*upper_->root(), ".")));
  for (int attempt = 0;; ++attempt) {
    if (const auto file = files_.find(inode)) {
      const std::lock_guard lock(file->mutex);
      if (file->orphan) return file->orphan;
      if (file->data && !file->borrowed) return file->data;
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
    Layer& top = upper_ ? static_cast<Layer&>(*upper_) : lowers_.at(lowers_.top());
    return top.stat(*top.root(), ".");
  }
  for (int attempt = 0;; ++attempt) {
    if (const auto file = files_.find(node.id)) {
      const std::lock_guard lock(file->mutex);
      const auto& fd = file->orphan ? file->orphan : file->data;
      if (fd && (file->orphan || !file->borrowed)) {
        // A copy-up tells the table first and then changes the descriptor, under this lock.
        const auto now = file->orphan ? node : table_.get(node.id).value_or(node);
        const bool in_upper = file->orphan || now.in_upper;
        return layer(in_upper ? kUpper : now.layer).stat_object(fd->get());
      }
    }
    const LayerIndex index = node.in_upper ? kUpper : node.is_dir() ? node.lowers.front() : node.layer;
    auto attr = located(node.id, index,
                        [&](const LayerDir& parent, Name name) { return layer(index).stat(parent, name); });
    if (!node.in_upper)
      if (const auto now = table_.get(node.id); now && now->in_upper) return attributes(*now);
    if (attr || attr.error().code != ENOENT || attempt > 0) return attr;
  }
}

void OverlayFs::show_owner(struct stat& attr) const {
  attr.st_uid = users_.shown(attr.st_uid);
  attr.st_gid = groups_.shown(attr.st_gid);
}

// What is shown differs from what the layer says.
void OverlayFs::finish(const Node& node, struct stat& attr) const {
  attr.st_ino = node.ino;
  show_owner(attr);
  if (node.is_dir()) {
    // As in kernel overlayfs: 1 says that the links of a merged directory are not counted.
    if (!node.linked)
      attr.st_nlink = 0;
    else if (node.merged())
      attr.st_nlink = 1;
  } else if (node.indexed) {
    const auto links = static_cast<std::int64_t>(attr.st_nlink) + node.links_elsewhere;
    attr.st_nlink = static_cast<nlink_t>(std::max<std::int64_t>(links, 0));
  } else if (!node.linked && !node.in_upper && attr.st_nlink > 0) {
    --attr.st_nlink;  // removed here, while the lower layer still counts the name
  }
}

}  // namespace nacre::fs
