// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "base/scope_exit.h"
#include "fs/acl.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

struct OverlayFs::Heritage {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  std::optional<std::string> access_acl;
  std::optional<std::string> default_acl;  // of a new directory
  bool by_itself = false;                  // the upper's file system does all this when we create in place
};

Result<OverlayFs::Heritage> OverlayFs::heritage(const Caller& caller, const LayerDir& parent, mode_t mode) {
  const auto dir = TRY(upper_->stat(parent, "."));
  Heritage result{.uid = users_.maker_on_disk(caller.uid),
                  .gid = groups_.maker_on_disk(caller.gid),
                  .mode = mode,
                  .access_acl = {},
                  .default_acl = {}};
  if ((dir.st_mode & S_ISGID) != 0) {
    result.gid = dir.st_gid;
    if (S_ISDIR(mode)) result.mode |= S_ISGID;
  }
  if (!S_ISLNK(mode)) {
    auto list = upper_->get_xattr(parent, ".", kDefaultAcl);
    auto inherited = list ? inherit(*list, result.mode) : std::nullopt;
    if (inherited) {
      result.mode = inherited->mode;
      result.access_acl = std::move(inherited->access);
      if (S_ISDIR(mode)) result.default_acl = std::move(*list);
    } else {
      result.mode &= ~caller.umask;
    }
  }
  result.by_itself = result.uid == own_uid_ && (result.gid == own_gid_ || (dir.st_mode & S_ISGID) != 0) &&
                     !result.access_acl && !result.default_acl;
  return result;
}

Result<Staged> OverlayFs::stage_new(const NewNode& what, const Heritage& heritage) {
  auto staged = TRY(upper_->stage(what));
  ScopeExit undo{[&] { upper_->discard(staged); }};
  const int fd = staged.fd.get();
  TRY(upper_->set_owner(fd, heritage.uid, heritage.gid));
  if (!S_ISLNK(what.mode)) TRY(upper_->set_mode(fd, what.mode));
  if (heritage.access_acl) TRY(upper_->set_xattr(fd, kAccessAcl, *heritage.access_acl, 0));
  if (heritage.default_acl) TRY(upper_->set_xattr(fd, kDefaultAcl, *heritage.default_acl, 0));
  undo.dismiss();
  return staged;
}

// Makes any kind of object; of a regular file, `data` gets a descriptor of it if wanted.
Result<Entry> OverlayFs::make(const Caller& caller, InodeId parent, Name name, NewNode what, UniqueFd* data) {
  if (is_archive_marker(name)) return fail(EINVAL);
  const auto dir = TRY(upper_dir(parent));
  const auto layers = TRY(view(TRY(table_.get(parent))));
  const auto inherited = TRY(heritage(caller, *dir, what.mode));
  what.mode = inherited.mode;

  const auto lock = directory_locks_.write(parent);
  const auto existing = TRY(upper_entry(layers, name));
  if (existing.state == UpperState::present) return fail(EEXIST);
  if (existing.state == UpperState::absent && TRY(shown_below(layers, name))) return fail(EEXIST);
  const bool over_whiteout = existing.state == UpperState::whiteout;

  UniqueFd fd;
  if (inherited.by_itself && !over_whiteout && (data == nullptr || S_ISREG(what.mode))) {
    if (data != nullptr)
      fd = TRY(upper_->create_file(*dir, name, what.mode));
    else
      TRY(upper_->create(*dir, name, what));
  } else {
    auto staged = TRY(stage_new(what, inherited));
    ScopeExit undo{[&] { upper_->discard(staged); }};
    // What the whiteout removed must not come back as the new directory's content.
    if (over_whiteout && S_ISDIR(what.mode)) TRY(upper_->set_opaque(staged.fd.get()));
    TRY(upper_->publish(staged, *dir, name, existing.place()));
    drop_marker(*dir, name, existing);
    undo.dismiss();
    fd = std::move(staged.fd);
  }
  Found found;
  found.attr = TRY(upper_->stat(*dir, name));
  found.in_upper = true;
  found.ino = numbers_.shown(found.attr.st_dev, found.attr.st_ino);
  if (!found.is_dir()) found.identity = found.attr.st_ino;
  const auto inode = TRY(table_.remember(parent, name, found));
  look_for_a_crowd();
  if (data != nullptr) *data = std::move(fd);
  found.attr.st_ino = found.ino;
  show_owner(found.attr);
  return Entry{inode, found.attr};
}

Result<OverlayFs::Created> OverlayFs::create(const Caller& caller, InodeId parent, Name name, mode_t mode) {
  UniqueFd data;
  auto entry = TRY(make(caller, parent, name, {.mode = (mode & 07777) | S_IFREG}, &data));
  auto file = files_.get(entry.inode);
  const std::lock_guard lock(file->mutex);
  file->data = std::make_shared<const UniqueFd>(std::move(data));
  file->writable = true;
  file->set_id = (entry.attr.st_mode & (S_ISUID | S_ISGID)) != 0;
  return Created{entry, attach(TRY(table_.get(entry.inode)), *file, file)};
}

Result<OverlayFs::Created> OverlayFs::tmpfile(const Caller& caller, InodeId parent, mode_t mode) {
  const auto dir = TRY(upper_dir(parent));
  const auto inherited = TRY(heritage(caller, *dir, (mode & 07777) | S_IFREG));
  auto staged = TRY(stage_new({.mode = inherited.mode}, inherited));
  auto fd = std::make_shared<const UniqueFd>(std::move(staged.fd));
  upper_->discard(staged);
  Found found;
  found.attr = TRY(upper_->stat_object(fd->get()));
  found.in_upper = true;
  found.ino = numbers_.shown(found.attr.st_dev, found.attr.st_ino);
  found.identity = found.attr.st_ino;
  found.attr.st_ino = found.ino;
  show_owner(found.attr);
  const auto inode = table_.remember_nameless(found);
  auto file = files_.get(inode);
  const std::lock_guard lock(file->mutex);
  file->data = file->orphan = fd;
  file->writable = true;
  return Created{Entry{inode, found.attr}, attach(TRY(table_.get(inode)), *file, file)};
}

Result<Entry> OverlayFs::mknod(const Caller& caller, InodeId parent, Name name, mode_t mode, dev_t device) {
  if (!upper_) return fail(EROFS);
  // It would be a whiteout, as kernel overlayfs says, too.
  if (S_ISCHR(mode) && device == 0) return fail(EPERM);
  return make(caller, parent, name, {.mode = mode, .device = device}, nullptr);
}

Result<Entry> OverlayFs::mkdir(const Caller& caller, InodeId parent, Name name, mode_t mode) {
  return make(caller, parent, name, {.mode = (mode & 07777) | S_IFDIR}, nullptr);
}

Result<Entry> OverlayFs::symlink(const Caller& caller, InodeId parent, Name name, const char* target) {
  return make(caller, parent, name, {.mode = S_IFLNK | 0777, .target = target}, nullptr);
}

}  // namespace nacre::fs
