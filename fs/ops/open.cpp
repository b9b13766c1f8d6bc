// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "base/scope_exit.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

// The data of an inode where it is now.
Result<UniqueFd> OverlayFs::open_data(const Node& node, bool writable) {
  const int flags = writable ? O_RDWR : O_RDONLY;
  const LayerIndex index = node.in_upper ? kUpper : node.layer;
  auto data = TRY(located(node.id, index, [&](const LayerDir& parent, Name name) {
    return layer(index).open(parent, name, flags);
  }));
  // Serving the empty file instead of data that lies elsewhere would be silent damage.
  if (is_metadata_only(data.get())) return fail(EIO);
  return data;
}

Result<HandleId> OverlayFs::attach(InodeId inode, OpenFile& file, OpenFileRef ref) {
  auto handle = std::make_shared<FileHandle>(FileHandle{inode, std::move(ref)});
  const auto id = handles_.add(std::move(handle));
  ++file.handles;
  table_.pin(inode);
  return id;
}

Result<HandleId> OverlayFs::open(const Caller& caller, InodeId inode, int flags) {
  const bool truncate = (flags & O_TRUNC) != 0;
  const bool writable = (flags & O_ACCMODE) != O_RDONLY || truncate;
  if (writable) TRY(copy_up(inode, truncate ? 0 : kAllData));

  auto file = files_.get(inode);
  ScopeExit tidy{[&] {
    file.reset();
    files_.tidy(inode);
  }};
  const std::lock_guard lock(file->mutex);
  // Asked under the lock: a copy-up that happens now has not swapped the data yet.
  const auto node = TRY(table_.get(inode));
  if (!S_ISREG(node.type)) return fail(node.is_dir() ? EISDIR : ENXIO);
  if (!file->data || (writable && !file->writable)) {
    auto data = file->orphan ? TRY(upper_->reopen(file->orphan->get(), writable ? O_RDWR : O_RDONLY))
                             : TRY(open_data(node, writable));
    const auto attr = TRY(sys::stat_fd(data.get()));
    file->set_id = (attr.st_mode & (S_ISUID | S_ISGID)) != 0;
    file->data = std::make_shared<const UniqueFd>(std::move(data));
    file->writable = writable;
  }
  if (truncate) {
    TRY(upper_->set_size(file->data->get(), 0));
    if (file->set_id && caller.uid != 0) {
      TRY(clear_set_id(file->data->get()));
      file->set_id = false;
    }
  }
  return attach(inode, *file, file);
}

void OverlayFs::release(HandleId id) {
  auto handle = handles_.remove(id);
  if (!handle) return;
  const InodeId inode = handle->inode;
  DataRef closed;
  {
    const std::lock_guard lock(handle->file->mutex);
    if (--handle->file->handles == 0) {
      closed = std::move(handle->file->data);
      handle->file->writable = false;
    }
  }
  handle.reset();
  files_.tidy(inode);
  drop(table_.unpin(inode));
}

}  // namespace nacre::fs
