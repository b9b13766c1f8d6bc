// SPDX-License-Identifier: Apache-2.0
// Copy-up: from a lower layer to the upper. Parents first, then the copy is made in the work
// directory, and giving it its name is the last step: either the whole object is there
// afterwards, or nothing is.
#include <algorithm>
#include <cstdint>

#include "base/scope_exit.h"
#include "fs/layer/markers.h"
#include "fs/layer/origin.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<bool> OverlayFs::copy_up(InodeId inode, std::uint64_t size) {
  if (!upper_) return fail(EROFS);
  if (TRY(table_.get(inode)).in_upper) return false;
  // A removed file is copied without a name, and so without parents.
  if (const auto place = table_.location(inode); place && place->linked) TRY(copy_up(place->parent));
  const CopyUpLocks::Held busy(copy_up_locks_, inode);
  const auto node = TRY(table_.get(inode));
  if (node.in_upper) return false;  // somebody else did it while we waited
  TRY(copy_up_locked(node, size));
  return true;
}

// A copy that is not in the tree yet.
struct OverlayFs::Copy {
  Staged staged;
  std::string origin;    // empty where the lower layer has no file handles
  bool indexed = false;  // one of several names of its origin
  bool without_data = false;
};

Result<> OverlayFs::copy_up_locked(const Node& node, std::uint64_t size) {
  const auto attr = TRY(attributes(node));
  auto copy = TRY(stage_copy(node, attr, size));
  ScopeExit undo{[&] { upper_->discard(copy.staged); }};
  TRY(publish_copy(node, attr, copy));
  undo.dismiss();
  return {};
}

Result<OverlayFs::Copy> OverlayFs::stage_copy(const Node& node, const struct stat& attr, std::uint64_t size) {
  const LayerIndex index = node.is_dir() ? node.lowers.front() : node.layer;
  Copy copy;
  NewNode what{.mode = attr.st_mode, .device = attr.st_rdev, .target = nullptr};
  std::string target;
  if (S_ISLNK(attr.st_mode)) {
    target = TRY(located(node.id, index, [&](const LayerDir& parent, Name name) {
      return layer(index).read_link(parent, name);
    }));
    what.target = target.c_str();
  }
  copy.staged = TRY(upper_->stage(what));
  ScopeExit undo{[&] { upper_->discard(copy.staged); }};
  const int to = copy.staged.fd.get();
  const auto length = static_cast<std::uint64_t>(attr.st_size);
  if (size == kNoData) {
    copy.without_data = metacopy_ && S_ISREG(attr.st_mode) && length > 0 && attr.st_nlink == 1;
    size = kAllData;
  }
  const bool truncated = S_ISREG(attr.st_mode) && size != kAllData && size != length;
  if (copy.without_data) {
    TRY(upper_->set_size(to, length));
    TRY(upper_->set_xattr(to, own_attribute("metacopy").c_str(), "", 0));
  } else if (const auto bytes = std::min(size, length); S_ISREG(attr.st_mode) && bytes > 0) {
    bool borrowed = false;
    const auto from = TRY(open_data(node, false, borrowed));
    TRY(upper_->copy_data(from.get(), to, bytes));
  }
  if (truncated && size > length) TRY(upper_->set_size(to, size));
  // The owner first: changing it clears set-id bits and capabilities.
  TRY(upper_->set_owner(to, users_.kept(attr.st_uid), groups_.kept(attr.st_gid)));
  if (!S_ISLNK(attr.st_mode)) TRY(upper_->set_mode(to, attr.st_mode));
  TRY(copy_xattrs(node, to));
  TRY(remember_origin(node, attr, copy));
  constexpr timespec kNow{.tv_sec = 0, .tv_nsec = UTIME_NOW};
  const timespec times[]{attr.st_atim, truncated ? kNow : attr.st_mtim};
  TRY(upper_->set_times(to, times));
  if (sync_ && S_ISREG(attr.st_mode)) TRY(upper_->sync(to));
  undo.dismiss();
  return copy;
}

// So that the copy keeps its number, and other names of the origin lead to it.
Result<> OverlayFs::remember_origin(const Node& node, const struct stat& attr, Copy& copy) {
  // One of several names that parts from the others is not what it was a copy of any more.
  if (node.is_dir() || (attr.st_nlink > 1 && node.identity == 0)) return {};
  const auto origin = located(node.id, node.layer, [&](const LayerDir& parent, Name name) {
    return layer(node.layer).handle(parent, name);
  });
  if (!origin) return {};
  const int to = copy.staged.fd.get();
  const auto set = upper_->set_xattr(to, own_attribute("origin").c_str(), *origin, 0);
  // Symlinks and devices take no attributes of the user's kind.
  if (!set && (set.error().code == EPERM || set.error().code == EOPNOTSUPP)) return {};
  TRY(set);
  copy.origin = *origin;
  copy.indexed = attr.st_nlink > 1 && node.identity != 0;
  if (copy.indexed)
    TRY(upper_->set_xattr(to, own_attribute("nlink").c_str(), link_count_beyond_origin(0, 0), 0));
  return {};
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

Result<> OverlayFs::publish_copy(const Node& node, const struct stat& attr, Copy& copy) {
  auto& staged = copy.staged;
  const auto made = TRY(sys::stat_fd(staged.fd.get()));
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
      std::unique_lock index_lock(index_mutex_, std::defer_lock);
      if (copy.indexed) index_lock.lock();
      const auto before = TRY(upper_->stat(*parent, "."));
      TRY(place_copy(place, *parent, copy));
      placed = true;
      // Without an index a lower file's other names stay behind, so this one becomes a file of its own.
      const bool parts = !node.is_dir() && attr.st_nlink > 1 && !copy.indexed;
      const auto ino = parts ? numbers_.shown(made.st_dev, made.st_ino) : node.ino;
      table_.moved_to_upper(node.id, made.st_ino, ino, copy.indexed ? &place : nullptr);
      if (copy.indexed) table_.set_indexed(node.id, static_cast<std::int32_t>(attr.st_nlink) - 2);
      if (!node.is_dir() && !parts) {
        if (copy.origin.empty() || !opens_handles(copy.origin)) numbers_.copied_up(made.st_ino, ino);
        mark_impure(*parent);
      }
      // For its users nothing has happened to the directory.
      const timespec times[]{before.st_atim, before.st_mtim};
      if (const auto object = upper_->open_object(*parent, "."))
        static_cast<void>(upper_->set_times(object->get(), times));
      // Only the time of its last change, which nobody can set back. A listing that the kernel has kept
      // stays right unless it holds another number.
      if (kernel_cache_ != nullptr)
        parts ? kernel_cache_->drop_data(place.parent) : kernel_cache_->drop_attributes(place.parent);
    }
  }
  if (!placed && copy.without_data) {
    // Without a name nobody would find its data.
    bool borrowed = false;
    const auto from = TRY(open_data(node, false, borrowed));
    TRY(upper_->copy_data(from.get(), staged.fd.get(), static_cast<std::uint64_t>(attr.st_size)));
    TRY(upper_->remove_xattr(staged.fd.get(), own_attribute("metacopy").c_str()));
    copy.without_data = false;
  }
  auto data = std::make_shared<const UniqueFd>(std::move(staged.fd));
  if (!placed) {
    upper_->discard(staged);  // takes away the name that a staged directory or device has
    file->orphan = data;
    table_.moved_to_upper(node.id, made.st_ino, node.ino);
  }
  // From here on every handle reads and writes the copy.
  if (file->handles > 0 && S_ISREG(node.type)) {
    file->borrowed = copy.without_data || file->lower_backing;
    if (file->borrowed) return {};
    file->data = std::move(data);
    file->writable = true;
  }
  return {};
}

// The index first: whoever finds the copy there finds a whole one.
Result<> OverlayFs::place_copy(const Location& place, const LayerDir& parent, Copy& copy) {
  if (!copy.indexed) return upper_->publish(copy.staged, parent, place.name(), Place::free);
  const auto entry = index_name(copy.origin);
  const auto linked = upper_->link(copy.staged.fd.get(), *upper_->index(), entry.c_str(), Place::free);
  if (!linked && linked.error().code == EEXIST) {
    // Another layer has the same file, too, and its copy is there.
    copy.indexed = false;
    for (const char* const attribute : {"nlink", "origin"})
      TRY(upper_->remove_xattr(copy.staged.fd.get(), own_attribute(attribute).c_str()));
    return upper_->publish(copy.staged, parent, place.name(), Place::free);
  }
  TRY(linked);
  ScopeExit undo{[&] { static_cast<void>(upper_->remove(*upper_->index(), entry.c_str(), false)); }};
  TRY(upper_->publish(copy.staged, parent, place.name(), Place::free));
  undo.dismiss();
  return {};
}

}  // namespace nacre::fs
