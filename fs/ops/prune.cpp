// SPDX-License-Identifier: Apache-2.0
// A limit to what is remembered. An inode lives for as long as the kernel remembers it, and the kernel
// forgets only when the machine is short of memory. Source: FUSE_NOTIFY_PRUNE in include/uapi/linux/fuse.h.
#include <algorithm>

#include "fs/overlay_fs.h"

namespace nacre::fs {

// The kernel has been told of one more inode.
void OverlayFs::look_for_a_crowd() {
  if (table_.size() <= crowded_at_) return;
  // The next time when there are notably more: all of these may be in use.
  crowded_at_ = table_.size() + most_inodes_ / 16;
  if (on_crowded_) on_crowded_();
}

// The kernel does not say which it forgot. It keeps what is in use, and of those in a reply that is on its
// way it knows nothing yet.
bool OverlayFs::prune() {
  lower_the_bar();  // whoever asked may have raised it after the last forget() looked at it
  constexpr std::size_t kBatch = 4096;
  const auto now = table_.size();
  if (now <= most_inodes_) return true;
  for (std::size_t left = now - (most_inodes_ - most_inodes_ / 8); left > 0;) {
    const auto inodes = table_.next_unused(std::min(left, kBatch));
    if (inodes.empty()) return true;
    if (kernel_cache_ == nullptr || !kernel_cache_->forget_unused(inodes)) {
      crowded_at_ = SIZE_MAX;  // this kernel cannot be asked
      return true;
    }
    left -= inodes.size();
  }
  return false;
}

void OverlayFs::forget(InodeId inode, std::uint64_t count) {
  drop(table_.forget(inode, count));
  lower_the_bar();
}

void OverlayFs::lower_the_bar() {
  if (crowded_at_ != most_inodes_ && crowded_at_ != SIZE_MAX && table_.size() <= most_inodes_)
    crowded_at_ = most_inodes_;
}

}  // namespace nacre::fs
