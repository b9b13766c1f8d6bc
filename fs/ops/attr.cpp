// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

#include <cstdint>

namespace nacre::fs {

Result<struct stat> OverlayFs::getattr(InodeId inode) {
  const auto node = TRY(table_.get(inode));
  auto attr = TRY(attributes(node));
  finish(node, attr);
  return attr;
}

// Without an index, a lower file with several names changes its number and link count when one
// of them is copied up, which the kernel does not learn from what it asked for.
bool OverlayFs::cacheable(InodeId inode, const struct stat& attr) const {
  if (S_ISDIR(attr.st_mode) || attr.st_nlink <= 1) return true;
  const auto node = table_.get(inode);
  return node && (node->in_upper || node->identity != 0);
}

// We may do what the caller may not, so the kernel leaves it to us to clear the bits that a
// write by an ordinary user clears.
Result<> OverlayFs::clear_set_id(int object) {
  const auto attr = TRY(upper_->stat_object(object));
  const mode_t bits = attr.st_mode & ((attr.st_mode & S_IXGRP) != 0 ? S_ISUID | S_ISGID : S_ISUID);
  if (bits == 0 || !S_ISREG(attr.st_mode)) return {};
  return upper_->set_mode(object, attr.st_mode & ~bits);
}

Result<struct stat> OverlayFs::setattr(const Caller& caller, InodeId inode, const AttrChange& change) {
  const bool nothing =
      !change.mode && !change.uid && !change.gid && !change.size && !change.atime && !change.mtime;
  if (nothing && caller.keeps_set_id) return getattr(inode);
  // -1 is "unchanged", for fchownat(2).
  const uid_t uid = change.uid ? TRY(users_.on_disk(*change.uid)) : static_cast<uid_t>(-1);
  const gid_t gid = change.gid ? TRY(groups_.on_disk(*change.gid)) : static_cast<gid_t>(-1);
  // Data that is cut off is not worth a copy.
  const auto original = TRY(table_.get(inode));
  const bool cut =
      change.size && static_cast<std::uint64_t>(TRY(attributes(original)).st_size) != *change.size;
  const bool copied = TRY(copy_up(inode, change.size.value_or(kNoData)));
  if (change.size && !copied) TRY(complete_copy(inode, *change.size));
  const auto target = TRY(object(inode));
  const int fd = target->get();
  if (change.uid || change.gid) TRY(upper_->set_owner(fd, uid, gid));
  // Of a copy the size is right, but what becomes of the time of an unchanged one is the file
  // system's to say.
  if (change.size && !(copied && cut)) TRY(upper_->set_size(fd, *change.size));
  if ((change.size || change.kill_set_id) && !change.mode && !caller.keeps_set_id) TRY(clear_set_id(fd));
  if (change.mode) TRY(upper_->set_mode(fd, *change.mode));
  if (change.atime || change.mtime) {
    constexpr timespec kOmit{.tv_sec = 0, .tv_nsec = UTIME_OMIT};
    const timespec times[]{change.atime.value_or(kOmit), change.mtime.value_or(kOmit)};
    TRY(upper_->set_times(fd, times));
  }
  const auto now = TRY(table_.get(inode));
  // An inode that has parted from its file (OverlayFs::part_from_lower) changes that of the others.
  if (!now.linked && now.in_upper && kernel_cache_ != nullptr)
    if (const auto other = table_.by_identity(TRY(sys::stat_fd(fd)).st_ino); other && *other != inode)
      kernel_cache_->drop_attributes(*other);
  if (const auto file = files_.find(inode)) {
    const auto attr = TRY(upper_->stat_object(fd));
    const std::lock_guard lock(file->mutex);
    file->set_id = (attr.st_mode & (S_ISUID | S_ISGID)) != 0;
  }
  return getattr(inode);
}

}  // namespace nacre::fs
