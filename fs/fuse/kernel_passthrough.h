// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "fs/model/passthrough.h"

namespace nacre::fs {

// Passthrough by the kernel at the other end of a FUSE descriptor. Off until enable().
// Thread-safe.
class KernelPassthrough final : public Passthrough {
 public:
  // When the connection has agreed to it. The descriptor stays the caller's.
  void enable(int fuse_fd) {
    fuse_fd_ = fuse_fd;
    works_ = true;
  }

  bool works() const noexcept override { return works_.load(std::memory_order_relaxed); }
  int open(int fd) noexcept override;
  void close(int number) noexcept override;

 private:
  std::atomic<int> fuse_fd_{-1};
  std::atomic<bool> works_{false};
};

}  // namespace nacre::fs
