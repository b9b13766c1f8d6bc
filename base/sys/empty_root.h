// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace nacre::sys {

// Moves this process to a mount namespace of its own whose root holds nothing but /proc, with this
// process alone in it where the kernel allows that: for /proc/self/fd. What is open stays open.
// Needs CAP_SYS_ADMIN; before any thread is started. ENOTSUP: it cannot be done here (a plain
// chroot), and everything is as before. EPERM: without the right, likewise. With any other error nothing is
// certain.
Result<> enter_empty_root();

}  // namespace nacre::sys
