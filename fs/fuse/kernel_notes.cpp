// SPDX-License-Identifier: Apache-2.0
#include "fs/fuse/kernel_notes.h"

#include <linux/fuse.h>
#include <unistd.h>

namespace nacre::fs {

// FUSE_NOTIFY_INC_EPOCH of protocol 7.44, for which libfuse has no call yet: a header and no more.
bool KernelNotes::drop_all_names() noexcept {
  constexpr int kIncrementEpoch = 8;
  auto* const session = session_.load();
  if (session == nullptr) return false;
  const fuse_out_header note{.len = sizeof(fuse_out_header), .error = kIncrementEpoch, .unique = 0};
  return ::write(fuse_session_fd(session), &note, sizeof(note)) == sizeof(note);
}

}  // namespace nacre::fs
