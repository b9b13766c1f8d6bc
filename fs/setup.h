// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "fs/options.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

// The layers of a mount, open, checked and locked against a second writer.
struct Prepared {
  OverlayConfig config;
  std::vector<UniqueFd> locks;  // held for as long as the process lives
};

// Opens the layers that the options name. Every error is one line that names the directory
// and says what to do; nothing is left behind then.
Result<Prepared> prepare(const Options& options);

}  // namespace nacre::fs
