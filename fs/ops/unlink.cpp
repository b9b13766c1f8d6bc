// SPDX-License-Identifier: Apache-2.0
#include "base/scope_exit.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

// Remembers an object that has just lost a name, should it have been the last one: whoever
// has it open still works with it. Called with the file's mutex held.
void OverlayFs::orphan(InodeId inode, OpenFile& file, DataRef object) {
  const auto node = table_.get(inode);
  if (!node || node->linked) return;
  file.orphan = file.data && file.writable ? file.data : std::move(object);
  dirs_.drop(inode, kUpper);
}

Result<> OverlayFs::remove(InodeId parent, Name name, bool is_dir) {
  if (!upper_) return fail(EROFS);
  const auto inode = table_.find(parent, name);
  if (!inode) {
    // The kernel may know it by an inode that has parted from its file.
    const auto entry = TRY(lookup(parent, name));
    const ScopeExit undo{[&] { forget(entry.inode, 1); }};
    return table_.find(parent, name) ? remove(parent, name, is_dir) : fail(ENOENT);
  }
  const auto node = TRY(table_.get(*inode));
  if (node.is_dir() != is_dir) return fail(is_dir ? ENOTDIR : EISDIR);
  const auto dir = TRY(upper_dir(parent));
  TRY(before_unlink(*inode, parent, name));
  const auto layers = TRY(view(TRY(table_.get(parent))));
  const auto inside = is_dir ? TRY(view(node)) : View{};

  const auto file = files_.get(*inode);
  const std::lock_guard file_lock(file->mutex);
  const auto locks = is_dir ? directory_locks_.write(parent, *inode)
                            : DirectoryLocks::Two{directory_locks_.write(parent), {}};
  if (is_dir && !TRY(is_empty(inside))) return fail(ENOTEMPTY);
  const auto entry = TRY(upper_entry(layers, name));
  const bool below = TRY(shown_below(layers, name));
  const bool above = entry.state == UpperState::present;
  if (!above && (!below || entry.state == UpperState::whiteout)) return fail(ENOENT);

  DataRef object;
  if (above) object = std::make_shared<const UniqueFd>(TRY(upper_->open_object(*dir, name)));
  const auto now = TRY(table_.get(*inode));
  if (above) TRY(keep_links(now, object->get()));
  // Nothing is copied up to be removed, and nothing below means no whiteout: least of all
  // in an opaque directory, where kernel overlayfs takes one for damage.
  if (below)
    TRY(upper_->white_out(*dir, name, above ? Place::occupied : Place::free));
  else
    TRY(upper_->remove(*dir, name, is_dir));

  table_.remove_name(parent, name);
  if (above) {
    leave_index(now, object->get());
    orphan(*inode, *file, std::move(object));
    if (is_dir || entry.attr.st_nlink <= 1) numbers_.removed(entry.attr.st_ino);
  }
  return {};
}

Result<> OverlayFs::unlink(InodeId parent, Name name) { return remove(parent, name, false); }
Result<> OverlayFs::rmdir(InodeId parent, Name name) { return remove(parent, name, true); }

}  // namespace nacre::fs
