// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/kernel_notes.h"

#include <linux/fuse.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>

namespace nacre::fs {
namespace {

// Notifications that libfuse has no call for. Source: include/uapi/linux/fuse.h of Linux 6.18.
constexpr int kIncrementEpoch = 8;  // protocol 7.44; a header and no more
constexpr int kPrune = 9;           // protocol 7.45; the header, PruneNote, and node ids
struct PruneNote {
  std::uint32_t count;
  std::uint32_t padding;
  std::uint64_t spare;
};
static_assert(sizeof(InodeId) == sizeof(std::uint64_t));

bool notify(fuse_session* session, int code, std::span<iovec> body) {
  fuse_out_header header{.len = sizeof(fuse_out_header), .error = code, .unique = 0};
  std::array<iovec, 3> parts{{{&header, sizeof(header)}}};
  int count = 1;
  for (const auto& part : body) {
    header.len += static_cast<std::uint32_t>(part.iov_len);
    parts[static_cast<std::size_t>(count++)] = part;
  }
  return ::writev(fuse_session_fd(session), parts.data(), count) == header.len;
}

}  // namespace

bool KernelNotes::drop_all_names() noexcept {
  auto* const session = session_.load();
  return session != nullptr && notify(session, kIncrementEpoch, {});
}

bool KernelNotes::forget_unused(std::span<const InodeId> inodes) noexcept {
  auto* const session = session_.load();
  if (session == nullptr) return false;
  PruneNote note{.count = static_cast<std::uint32_t>(inodes.size()), .padding = 0, .spare = 0};
  std::array<iovec, 2> body{
      {{&note, sizeof(note)}, {const_cast<InodeId*>(inodes.data()), inodes.size_bytes()}}};
  return notify(session, kPrune, body);
}

}  // namespace nacre::fs
