// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"

namespace nacre::tool::doctor {

// What the kernel offers a FUSE server, from its own FUSE_INIT request.
struct FuseOffer {
  unsigned major = 0, minor = 0;
  std::uint64_t flags = 0;  // FUSE_* init flags, the second word in the high half
  bool passthrough() const { return (flags >> 37 & 1) != 0; }
  bool resend() const { return (flags >> 39 & 1) != 0; }
};

// Makes a FUSE mount that is attached nowhere, reads the first request, and lets it go.
// EPERM, ENOENT … with the step that failed.
Result<FuseOffer> probe_fuse();

}  // namespace nacre::tool::doctor
