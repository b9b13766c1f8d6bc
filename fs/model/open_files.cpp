// SPDX-License-Identifier: Apache-2.0
#include "fs/model/open_files.h"

namespace nacre::fs {

OpenFileRef OpenFiles::get(InodeId inode) {
  auto& shard = shard_of(inode);
  const std::lock_guard lock(shard.mutex);
  auto& file = shard.files[inode];
  if (!file) file = std::make_shared<OpenFile>();
  return file;
}

OpenFileRef OpenFiles::find(InodeId inode) {
  auto& shard = shard_of(inode);
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.files.find(inode);
  return place == shard.files.end() ? nullptr : place->second;
}

void OpenFiles::tidy(InodeId inode) {
  auto& shard = shard_of(inode);
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.files.find(inode);
  // Somebody else who holds a reference is about to use it, and tidies up after himself.
  if (place == shard.files.end() || place->second.use_count() > 1) return;
  OpenFile& file = *place->second;
  {
    // Free, as nobody else has the file; taken to see what the last of them wrote.
    const std::unique_lock lock_file(file.mutex, std::try_to_lock);
    if (!lock_file || file.handles != 0 || file.orphan) return;
  }
  shard.files.erase(place);
}

void OpenFiles::drop(InodeId inode) {
  OpenFileRef dropped;  // its descriptors are closed after the lock is released
  auto& shard = shard_of(inode);
  const std::lock_guard lock(shard.mutex);
  const auto place = shard.files.find(inode);
  if (place == shard.files.end()) return;
  dropped = std::move(place->second);
  shard.files.erase(place);
}

std::size_t OpenFiles::size() const {
  std::size_t sum = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    sum += shard.files.size();
  }
  return sum;
}

}  // namespace nacre::fs
