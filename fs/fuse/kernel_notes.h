// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "base/fuse/session.h"
#include "fs/model/kernel_cache.h"

namespace nacre::fs {

// Tells the kernel at the other end of a session. Silent until attach(). Thread-safe.
class KernelNotes final : public KernelCache {
 public:
  void attach(fuse_session* session) { session_ = session; }
  int descriptor() const { return fuse_session_fd(session_); }
  void drop_attributes(InodeId inode) noexcept override {
    // A negative offset leaves the data alone, and takes no lock that a request may hold.
    if (auto* const session = session_.load()) fuse_lowlevel_notify_inval_inode(session, inode.value, -1, 0);
  }
  void drop_data(InodeId inode) noexcept override {
    if (auto* const session = session_.load()) fuse_lowlevel_notify_inval_inode(session, inode.value, 0, 0);
  }
  bool drop_all_names() noexcept override;
  bool forget_unused(std::span<const InodeId> inodes) noexcept override;
  void drop_name(InodeId parent, Name name) noexcept override {
    if (auto* const session = session_.load())
      fuse_lowlevel_notify_inval_entry(session, parent.value, name, std::strlen(name));
  }

 private:
  std::atomic<fuse_session*> session_{nullptr};
};

}  // namespace nacre::fs
