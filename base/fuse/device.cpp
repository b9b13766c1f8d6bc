// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/device.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace nacre::fuse {

ssize_t read_request(int fd, void* buffer, std::size_t size) { return ::syscall(SYS_read, fd, buffer, size); }

ssize_t write_answer(int fd, std::span<const iovec> parts) {
  if (parts.size() == 1) return ::syscall(SYS_write, fd, parts[0].iov_base, parts[0].iov_len);
  constexpr std::size_t kPage = 4096;
  alignas(kPage) static thread_local std::array<std::byte, kPage> page;
  std::size_t size = 0;
  for (const auto& part : parts) {
    if (part.iov_len > page.size() - size) return ::writev(fd, parts.data(), static_cast<int>(parts.size()));
    if (part.iov_len > 0) std::memcpy(page.data() + size, part.iov_base, part.iov_len);
    size += part.iov_len;
  }
  return ::syscall(SYS_write, fd, page.data(), size);
}

}  // namespace nacre::fuse
