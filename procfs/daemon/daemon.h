// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/result.h"
#include "procfs/daemon/options.h"

namespace nacre::procfs {

// Serves until SIGTERM, SIGINT or the idle time is over, and leaves nothing behind. Calls
// `on_ready` once the socket listens and the file system is mounted. To be called without
// other threads.
Result<> run_daemon(const Options& options, const std::function<void()>& on_ready);

}  // namespace nacre::procfs
