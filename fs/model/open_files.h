// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/unique_fd.h"
#include "fs/model/types.h"

namespace nacre::fs {

using DataRef = std::shared_ptr<const UniqueFd>;

// The descriptors behind an inode: its data while it is open, and the object itself once
// it has lost its last name. Handles lead here and never own a descriptor, so that after a
// copy-up every one of them reads and writes the new data.
struct OpenFile {
  std::mutex mutex;       // protects everything below; docs/LOCKING.md
  DataRef data;           // null while no handle is open, until it is needed, and when too many are
  bool kept = false;      // counted as one that keeps its `data`
  bool writable = false;  // `data` is O_RDWR (and in the upper layer)
  bool borrowed = false;  // `data` lies in a lower layer, the file does not ("metacopy")
  unsigned handles = 0;
  int backing = 0;             // the kernel's number of `data` while it reads and writes it without us
  bool lower_backing = false;  // that is of a lower layer, and stays so over a copy-up
  DataRef orphan;              // upper object without a name (O_PATH or better)
  // Set-id bits that a write by an ordinary user must clear.
  bool set_id = false;
};
using OpenFileRef = std::shared_ptr<OpenFile>;

// The open files of a mount. Thread-safe.
class OpenFiles {
 public:
  OpenFileRef get(InodeId inode);   // made if need be
  OpenFileRef find(InodeId inode);  // null if there is none
  // Lets go of an entry that holds nothing.
  void tidy(InodeId inode);
  // Lets go of the entry of an inode that is gone.
  void drop(InodeId inode);
  std::size_t size() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<InodeId, OpenFileRef> files;
  };
  Shard& shard_of(InodeId inode) { return shards_[inode.slot() % shards_.size()]; }
  std::array<Shard, 16> shards_;
};

}  // namespace nacre::fs
