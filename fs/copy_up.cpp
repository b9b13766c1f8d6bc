// SPDX-License-Identifier: Apache-2.0
// Copy-up: from a lower layer to the upper. Parents first, then the copy is made in the work
// directory, and giving it its name is the last step: either the whole object is there
// afterwards, or nothing is.
#include <algorithm>
#include <cstdint>

#include "base/scope_exit.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<> OverlayFs::copy_up(InodeId inode, std::uint64_t size) {
  if (!upper_) return fail(EROFS);
  if (TRY(table_.get(inode)).in_upper) return {};
  // A removed file is copied without a name, and so without parents.
  if (const auto place = table_.location(inode); place && place->linked) TRY(copy_up(place->parent));
  const CopyUpLocks::Held busy(copy_up_locks_, inode);
  const auto node = TRY(table_.get(inode));
  if (node.in_upper) return {};  // somebody else did it while we waited
  return copy_up_locked(node, size);
}

Result<> OverlayFs::copy_up_locked(const Node& node, std::uint64_t size) {
  const auto attr = TRY(attributes(node));
  auto staged = TRY(stage_copy(node, attr, size));
  ScopeExit undo{[&] { upper_->discard(staged); }};
  TRY(publish_copy(node, attr, staged));
  undo.dismiss();
  return {};
}

Result<Staged> OverlayFs::stage_copy(const Node& node, const struct stat& attr, std::uint64_t size) {
  const LayerIndex index = node.is_dir() ? node.lowers.front() : node.layer;
  NewNode what{.mode = attr.st_mode, .device = attr.st_rdev, .target = nullptr};
  std::string target;
  if (S_ISLNK(attr.st_mode)) {
    target = TRY(located(node.id, index, [&](const LayerDir& parent, Name name) {
      return layer(index).read_link(parent, name);
    }));
    what.target = target.c_str();
  }
  auto staged = TRY(upper_->stage(what));
  ScopeExit undo{[&] { upper_->discard(staged); }};
  const int to = staged.fd.get();
  if (const auto bytes = std::min(size, static_cast<std::uint64_t>(attr.st_size));
      S_ISREG(attr.st_mode) && bytes > 0) {
    const auto from = TRY(open_data(node, false));
    TRY(upper_->copy_data(from.get(), to, bytes));
  }
  // The owner first: changing it clears set-id bits and capabilities.
  TRY(upper_->set_owner(to, attr.st_uid, attr.st_gid));
  if (!S_ISLNK(attr.st_mode)) TRY(upper_->set_mode(to, attr.st_mode));
  TRY(copy_xattrs(node, to));
  const timespec times[]{attr.st_atim, attr.st_mtim};
  TRY(upper_->set_times(to, times));
  if (sync_ && S_ISREG(attr.st_mode)) TRY(upper_->sync(to));
  undo.dismiss();
  return staged;
}

Result<> OverlayFs::copy_xattrs(const Node& node, int to) {
  const LayerIndex index = node.is_dir() ? node.lowers.front() : node.layer;
  return located(node.id, index, [&](const LayerDir& parent, Name name) -> Result<> {
    for (const auto& attribute : TRY(layer(index).list_xattrs(parent, name))) {
      if (!attribute_shown(attribute)) continue;  // the layer's own
      const auto value = TRY(layer(index).get_xattr(parent, name, attribute.c_str()));
      const auto set = upper_->set_xattr(to, attribute.c_str(), value, 0);
      // Rights must not get lost; anything else may be unknown to the upper's file system.
      if (!set && (set.error().code != EOPNOTSUPP || attribute.starts_with("security.") ||
                   attribute.starts_with("system.")))
        return set;
    }
    return {};
  });
}

Result<> OverlayFs::publish_copy(const Node& node, const struct stat& attr, Staged& staged) {
  const auto copy = TRY(sys::stat_fd(staged.fd.get()));
  // A lower file's other names stay behind, so this one becomes a file of its own.
  const bool parts = !node.is_dir() && attr.st_nlink > 1;
  const auto ino = parts ? numbers_.shown(copy.st_dev, copy.st_ino) : node.ino;

  auto file = files_.get(node.id);
  ScopeExit tidy{[&] {
    file.reset();
    files_.tidy(node.id);
  }};
  const std::lock_guard file_lock(file->mutex);
  bool placed = false;
  if (const auto place = TRY(table_.location(node.id)); place.linked) {
    const auto parent = TRY(dir(place.parent, kUpper));
    const auto lock = directory_locks_.write(place.parent);
    const auto now = table_.location(node.id);
    if (now && *now == place) {
      const auto before = TRY(upper_->stat(*parent, "."));
      TRY(upper_->publish(staged, *parent, place.name(), Place::free));
      placed = true;
      if (!node.is_dir()) {
        table_.moved_to_upper(node.id, copy.st_ino, ino);
        if (!parts) numbers_.copied_up(copy.st_ino, ino);
      } else {
        table_.moved_to_upper(node.id, 0, ino);
      }
      // For its users nothing has happened to the directory.
      const timespec times[]{before.st_atim, before.st_mtim};
      if (const auto object = upper_->open_object(*parent, "."))
        static_cast<void>(upper_->set_times(object->get(), times));
    }
  }
  auto data = std::make_shared<const UniqueFd>(std::move(staged.fd));
  if (!placed) {
    upper_->discard(staged);  // takes away the name that a staged directory or device has
    file->orphan = data;
    table_.moved_to_upper(node.id, copy.st_ino, ino);
  }
  // From here on every handle reads and writes the copy.
  if (file->handles > 0 && S_ISREG(node.type)) {
    file->data = std::move(data);
    file->writable = true;
  }
  return {};
}

}  // namespace nacre::fs
