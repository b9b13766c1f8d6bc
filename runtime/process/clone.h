// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "base/result.h"

namespace nacre::runtime::process {

struct CloneOptions {
  std::uint64_t flags = 0;  // CLONE_NEW*
  int pid_namespace = -1;   // existing ones to be born in
  int user_namespace = -1;
  // Called on the way, before any of them is entered, by the process that will clone.
  std::function<void()> before;
};

// A copy of this process in other namespaces, running `child`, which must not return. It is a
// child of ours also when namespaces had to be joined on the way (by a helper that is gone when
// this returns). The caller has one thread, or the child makes no use of locks held by others.
Result<pid_t> clone_process(const CloneOptions& options, const std::function<void()>& child);

}  // namespace nacre::runtime::process
