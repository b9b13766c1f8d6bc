// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/kernel_passthrough.h"

#include <linux/fuse.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>

namespace nacre::fs {
namespace {

// <linux/fuse.h> of Debian 12 does not have them: FUSE protocol 7.40.
struct BackingMap {
  std::int32_t fd;
  std::uint32_t flags;
  std::uint64_t padding;
};
constexpr unsigned long kBackingOpen = _IOW(FUSE_DEV_IOC_MAGIC, 1, BackingMap);
constexpr unsigned long kBackingClose = _IOW(FUSE_DEV_IOC_MAGIC, 2, std::uint32_t);

}  // namespace

int KernelPassthrough::open(int fd) noexcept {
  if (!works()) return 0;
  const BackingMap map{.fd = fd, .flags = 0, .padding = 0};
  const int number = ::ioctl(fuse_fd_, kBackingOpen, &map);
  if (number > 0) return number;
  // It needs CAP_SYS_ADMIN on the host, and a file system that is not stacked itself: neither
  // will change.
  if (number < 0 && (errno == EPERM || errno == ELOOP || errno == EOPNOTSUPP || errno == ENOTTY))
    works_ = false;
  return 0;
}

void KernelPassthrough::close(int number) noexcept {
  const auto id = static_cast<std::uint32_t>(number);
  ::ioctl(fuse_fd_, kBackingClose, &id);
}

}  // namespace nacre::fs
