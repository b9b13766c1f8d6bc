// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/control/protocol.h"
#include "procfs/container.h"

namespace nacre::procfs {

// Detached mounts of a container's files, one for each thing to attach. `root` is the
// mounted file system; it must be served by other threads than the caller's.
Result<std::vector<control::ViewMount>> open_view_mounts(int root, const Container& container);

}  // namespace nacre::procfs
