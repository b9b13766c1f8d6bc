// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>

#include "base/result.h"
#include "procfs/daemon/options.h"

namespace nacre::procfs {

// Serves until told to end, or for lack of containers; the exit code: 0 or kReplaceMe. Where $NOTIFY_SOCKET
// keeps descriptors (FdStore), it goes on where a predecessor ended, on the same FUSE connection. `keeper` is
// the process that keeps for this one, 0 for systemd. `on_ready` is called when everything is live.
Result<int> run_daemon(const Options& options, pid_t keeper, const std::function<void()>& on_ready);

// The same in a child, which is replaced when it dies; this process holds what it needs (Keeper).
Result<int> keep_daemon(const Options& options, char** argv, const std::function<void()>& on_ready);

}  // namespace nacre::procfs
