// SPDX-License-Identifier: Apache-2.0
#include "base/scope_exit.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

Result<Entry> OverlayFs::link(InodeId inode, InodeId new_parent, Name new_name) {
  if (is_archive_marker(new_name)) return fail(EINVAL);
  TRY(copy_up(inode, kNoData));
  const auto dir = TRY(upper_dir(new_parent));
  const auto layers = TRY(view(TRY(table_.get(new_parent))));
  const auto target = TRY(object(inode));

  const auto file = files_.find(inode);
  const auto file_lock = file ? std::unique_lock(file->mutex) : std::unique_lock<std::mutex>();
  const auto lock = directory_locks_.write(new_parent);
  const auto existing = TRY(upper_entry(layers, new_name));
  if (existing.state == UpperState::present) return fail(EEXIST);
  if (existing.state == UpperState::absent && TRY(shown_below(layers, new_name))) return fail(EEXIST);
  const auto node = TRY(table_.get(inode));
  TRY(keep_links(node, target->get()));
  TRY(set_data_redirect(node, target->get()));
  TRY(upper_->link(target->get(), *dir, new_name, existing.place()));
  drop_marker(*dir, new_name, existing);

  Found found;
  found.attr = TRY(upper_->stat_object(target->get()));
  found.in_upper = true;
  found.ino = node.ino;
  found.identity = found.attr.st_ino;
  found.indexed = node.indexed;
  found.links_elsewhere = node.links_elsewhere;
  if (found.ino != numbers_.shown(found.attr.st_dev, found.attr.st_ino)) mark_impure(*dir);
  const auto same = TRY(table_.remember(new_parent, new_name, found));
  if (file && same == inode) file->orphan.reset();  // it has a name again
  finish(TRY(table_.get(same)), found.attr);
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
