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
  UniqueFd upper, work;  // the locks: held for as long as the process lives
};

// Opens the layers that the options name. Every error is one line that names the directory
// and says what to do; nothing is left behind then.
Result<Prepared> prepare(const Options& options);

// The roots of layers that are to be added to a mount that is in use: `mount` is its top directory, and
// `upper` and `work` are its own; null when it is read-only. Errors as above.
Result<std::vector<UniqueFd>> open_more_lowers(const std::vector<std::string>& paths, int mount,
                                               UniqueFd upper, UniqueFd work);
// What such a root is to OverlayFs::add_layers().
std::unique_ptr<Layer> lower_layer(UniqueFd root);

}  // namespace nacre::fs
