// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime {

// Hands a seccomp listener to the agent of the user's profile (runtime-spec config-linux.md
// "The Container Process State"): one message to linux.seccomp.listenerPath. `state` is the
// container's state as JSON.
Result<> send_to_agent(const spec::Seccomp& seccomp, int listener, pid_t pid, const std::string& state);

}  // namespace nacre::runtime
