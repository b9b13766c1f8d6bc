// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/control/protocol.h"
#include "base/sys/mount_cloner.h"
#include "procfs/container.h"

namespace nacre::procfs {

// Detached mounts of a container's files, one for each thing to attach.
Result<std::vector<control::ViewMount>> open_view_mounts(sys::MountCloner& cloner,
                                                         const Container& container);

}  // namespace nacre::procfs
