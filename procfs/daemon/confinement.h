// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace nacre::procfs {

// Takes from the daemon the system calls that serving does not need: no program is executed, no process made,
// no file system mounted, no connection opened, and no other mount namespace entered unless it attaches
// shared files there (`attaches`). Once the mount space is entered, before any thread is started; for the
// rest of the process's life.
Result<> confine(bool attaches);

}  // namespace nacre::procfs
