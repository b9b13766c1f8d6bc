// SPDX-License-Identifier: Apache-2.0
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/scope_exit.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

namespace {

// Of several names all but one would be stranded when the inode parts from its file.
bool is_program(int fd) {
  std::array<char, SELFMAG> magic{};
  if (::pread(fd, magic.data(), magic.size(), 0) != SELFMAG ||
      std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0)
    return false;
  const auto attr = sys::stat_fd(fd);
  return attr && attr->st_nlink == 1;
}

}  // namespace

// The data of an inode where it is now; of one without a name, behind `orphan`. `borrowed` is set
// when it is below its file.
Result<UniqueFd> OverlayFs::open_data(const Node& node, bool writable, bool& borrowed,
                                      const DataRef& orphan) {
  const int flags = writable ? O_RDWR : O_RDONLY;
  const LayerIndex index = node.in_upper ? kUpper : node.layer;
  auto data = orphan ? TRY(upper_->reopen(orphan->get(), flags))
                     : TRY(located(node.id, index, [&](const LayerDir& parent, Name name) {
                         return layer(index).open(parent, name, flags);
                       }));
  // Another file has taken its name since: what is cached of the one and what is read of the other must not
  // mix.
  if (!orphan && !node.in_upper && !names_stay_) {
    const auto attr = TRY(layer(index).stat_object(data.get()));
    if (numbers_.shown(attr.st_dev, attr.st_ino) != node.ino) return fail(ESTALE);
  }
  borrowed = is_metadata_only(data.get());
  if (!borrowed) return data;
  if (writable) return fail(EIO);  // complete_copy() was to come first
  return open_data_below(node, index, data.get());
}

// One more handle of a file. The first one decides for all until the last is released whether
// the kernel passes reads and writes through: it allows no mixture. What lies in a lower layer
// is not passed through, so that its descriptors follow a copy-up; programs and libraries are,
// so that all containers of an image share one copy in memory.
OverlayFs::Opened OverlayFs::attach(const Node& node, OpenFile& file, OpenFileRef ref) {
  Opened opened;
  const bool first = file.handles == 0 && file.data && !file.borrowed;
  const bool program = first && !node.in_upper && passthrough_ != nullptr && is_program(file.data->get());
  if (first && !node.in_upper && !program) table_.set_plain(node.id);
  if (first && passthrough_ != nullptr && (node.in_upper || (program && passthrough_->works()))) {
    file.backing = passthrough_->open(file.data->get());
    file.lower_backing = !node.in_upper && file.backing != 0;
    // What was cached before an earlier, passed through, writer is old.
    opened.keep_cache = file.backing != 0 || !passthrough_->works();
  }
  opened.backing = file.backing;
  if (opened.backing != 0) passed_through_.fetch_add(1, std::memory_order_relaxed);
  auto handle = std::make_shared<FileHandle>(FileHandle{node.id, std::move(ref)});
  opened.handle = handles_.add(std::move(handle));
  ++file.handles;
  table_.pin(node.id);
  return opened;
}

// Descriptors of a program that was copied up go on with the lower file, because the kernel reads
// it without us and allows one backing file per inode. So the inode stays theirs: with ESTALE the
// kernel looks the name up again, and finds another inode for the same file.
Result<> OverlayFs::part_from_lower(const Node& node, OpenFile& file, bool writable) {
  if (!node.linked) return writable ? fail(ESTALE) : Result<>{};
  auto copy = TRY(located(
      node.id, kUpper, [&](const LayerDir& parent, Name name) { return upper_->open_object(parent, name); }));
  file.orphan = std::make_shared<const UniqueFd>(std::move(copy));
  table_.detach(node.id);
  return fail(ESTALE);
}

Result<OverlayFs::Opened> OverlayFs::open(const Caller& caller, InodeId inode, int flags) {
  const bool truncate = (flags & O_TRUNC) != 0;
  const bool writable = (flags & O_ACCMODE) != O_RDONLY || truncate;
  const bool copied = writable && TRY(copy_up(inode, truncate ? 0 : kAllData));
  if (writable && !copied) TRY(complete_copy(inode, truncate ? 0 : kAllData));

  auto file = files_.get(inode);
  ScopeExit tidy{[&] {
    file.reset();
    files_.tidy(inode);
  }};
  const std::lock_guard lock(file->mutex);
  // Asked under the lock: a copy-up that happens now has not swapped the data yet.
  const auto node = TRY(table_.get(inode));
  if (!S_ISREG(node.type)) return fail(node.is_dir() ? EISDIR : ENXIO);
  if (file->lower_backing && node.in_upper) TRY(part_from_lower(node, *file, writable));
  // What is known to be plain, and to stay, is opened when the kernel asks for data, most of which it has
  // already.
  if (writable ? !file->writable : !file->data && !(node.plain && names_stay_)) {
    bool borrowed = false;
    auto data = TRY(open_data(node, writable, borrowed, file->orphan));
    if (writable) file->set_id = (TRY(upper_->stat_object(data.get())).st_mode & (S_ISUID | S_ISGID)) != 0;
    file->data = std::make_shared<const UniqueFd>(std::move(data));
    file->writable = writable;
    file->borrowed = borrowed;
  }
  if (truncate) {
    if (!copied) TRY(upper_->set_size(file->data->get(), 0));
    // Also of a file that was empty before. It has happened: an error now would be a lie.
    constexpr timespec kTimes[]{{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = 0, .tv_nsec = UTIME_NOW}};
    static_cast<void>(upper_->set_times(file->data->get(), kTimes));
    if (file->set_id && !caller.keeps_set_id) {
      TRY(clear_set_id(file->data->get()));
      file->set_id = false;
    }
  }
  auto opened = attach(node, *file, file);
  if (!node.in_upper && file->data) keep_some(*file);
  return opened;
}

// As many files can be open as anybody likes, while descriptors are few: beyond half of them,
// those of lower layers are opened again whenever the kernel wants something of them.
void OverlayFs::keep_some(OpenFile& file) {
  if (file.kept) return;
  file.kept = kept_files_.fetch_add(1, std::memory_order_relaxed) < most_kept_files_;
  if (file.kept) return;
  kept_files_.fetch_sub(1, std::memory_order_relaxed);
  file.data.reset();
}

void OverlayFs::release(HandleId id) {
  auto handle = handles_.remove(id);
  if (!handle) return;
  const InodeId inode = handle->inode;
  DataRef closed;
  {
    const std::lock_guard lock(handle->file->mutex);
    if (--handle->file->handles == 0) {
      // The kernel has let go of it: it releases before it tells us.
      if (handle->file->backing != 0) passthrough_->close(std::exchange(handle->file->backing, 0));
      handle->file->lower_backing = false;
      closed = std::move(handle->file->data);
      if (std::exchange(handle->file->kept, false)) kept_files_.fetch_sub(1, std::memory_order_relaxed);
      handle->file->writable = false;
    }
  }
  handle.reset();
  files_.tidy(inode);
  drop(table_.unpin(inode));
}

}  // namespace nacre::fs
