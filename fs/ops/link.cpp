// SPDX-License-Identifier: Apache-2.0
#include "base/scope_exit.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<Entry> OverlayFs::link(InodeId inode, InodeId new_parent, Name new_name) {
  TRY(copy_up(inode));
  const auto dir = TRY(upper_dir(new_parent));
  const auto layers = TRY(view(TRY(table_.get(new_parent))));
  const auto target = TRY(object(inode));

  const auto file = files_.find(inode);
  const auto file_lock = file ? std::unique_lock(file->mutex) : std::unique_lock<std::mutex>();
  const auto lock = directory_locks_.write(new_parent);
  const auto existing = TRY(upper_entry(layers, new_name));
  if (existing.state == UpperState::present) return fail(EEXIST);
  if (existing.state == UpperState::absent && TRY(shown_below(layers, new_name))) return fail(EEXIST);
  TRY(upper_->link(target->get(), *dir, new_name,
                   existing.state == UpperState::absent ? Place::free : Place::occupied));

  Found found;
  found.attr = TRY(sys::stat_fd(target->get()));
  found.in_upper = true;
  found.ino = TRY(table_.get(inode)).ino;
  const auto same = TRY(table_.remember(new_parent, new_name, found));
  if (file) file->orphan.reset();  // it has a name again
  found.attr.st_ino = found.ino;
  return Entry{same, found.attr};
}

Result<std::string> OverlayFs::readlink(InodeId inode) {
  const auto node = TRY(table_.get(inode));
  if (!S_ISLNK(node.type)) return fail(EINVAL);
  const LayerIndex index = node.in_upper ? kUpper : node.layer;
  return located(inode, index,
                 [&](const LayerDir& parent, Name name) { return layer(index).read_link(parent, name); });
}

}  // namespace nacre::fs
