// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "fs/model/types.h"

namespace nacre::fs {

// What the kernel remembers of our answers, for changes that it does not know to have made.
class KernelCache {
 public:
  virtual ~KernelCache() = default;
  // The attributes of an inode; not its data. May be called while a request is answered.
  virtual void drop_attributes(InodeId inode) noexcept = 0;
  // Data and attributes; of a directory, what it lists. Of a file, not while a request is answered.
  virtual void drop_data(InodeId inode) noexcept = 0;
  // What names mean, of all of them at once, those included that were not found. False: this
  // kernel cannot do that (before Linux 6.16).
  virtual bool drop_all_names() noexcept = 0;
  // Waits for those who are about to learn names of the directory, and may do so with an old answer.
  virtual void drop_name(InodeId parent, Name name) noexcept = 0;
  // Asks it to forget those of them that nothing uses; what it does forget it says by itself, later.
  // Not while a request is answered. False: this kernel cannot do that (before Linux 6.18).
  virtual bool forget_unused(std::span<const InodeId> inodes) noexcept = 0;
};

}  // namespace nacre::fs
