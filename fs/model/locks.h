// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "fs/model/types.h"

namespace nacre::fs {

// The names in a directory: shared to find what a name means and act on it, exclusive to
// change it. A fixed number of locks is spread over all directories; they are held for a
// few system calls and never for a copy of data.
class DirectoryLocks {
 public:
  using Shared = std::shared_lock<std::shared_mutex>;
  using Exclusive = std::unique_lock<std::shared_mutex>;
  struct Two {
    Exclusive first, second;
  };

  Shared read(InodeId dir) { return Shared(lock_of(dir)); }
  Exclusive write(InodeId dir) { return Exclusive(lock_of(dir)); }
  // Both directories of a rename, in one order for everyone.
  Two write(InodeId dir, InodeId other) {
    auto* first = &lock_of(dir);
    auto* second = &lock_of(other);
    if (second < first) std::swap(first, second);
    return {Exclusive(*first), first == second ? Exclusive() : Exclusive(*second)};
  }

 private:
  std::shared_mutex& lock_of(InodeId dir) { return locks_[std::hash<InodeId>{}(dir) % locks_.size()]; }
  std::array<std::shared_mutex, 512> locks_;
};

// One lock per inode that is being copied up, so that the copy happens once and delays
// nobody but those who want the same file.
class CopyUpLocks {
 public:
  class Held {
   public:
    Held(CopyUpLocks& locks, InodeId inode) : locks_(locks), inode_(inode), mutex_(locks.enter(inode)) {
      mutex_->lock();
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() {
      mutex_->unlock();
      locks_.leave(inode_);
    }

   private:
    CopyUpLocks& locks_;
    InodeId inode_;
    std::shared_ptr<std::mutex> mutex_;
  };

 private:
  struct Waiters {
    std::shared_ptr<std::mutex> mutex = std::make_shared<std::mutex>();
    unsigned count = 0;
  };
  std::shared_ptr<std::mutex> enter(InodeId inode) {
    const std::lock_guard lock(mutex_);
    auto& waiters = busy_[inode];
    ++waiters.count;
    return waiters.mutex;
  }
  void leave(InodeId inode) {
    const std::lock_guard lock(mutex_);
    const auto place = busy_.find(inode);
    if (--place->second.count == 0) busy_.erase(place);
  }

  std::mutex mutex_;
  std::unordered_map<InodeId, Waiters> busy_;
};

}  // namespace nacre::fs
