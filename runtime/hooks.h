// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime {

// Runs hooks one after the other with the container's state on stdin (runtime-spec config.md
// "POSIX-platform Hooks"), in the namespaces of the caller. Ends at the first that fails, does
// not end within its timeout (it is killed then) or cannot be started; the error names it and
// carries the last line it wrote.
Result<> run_hooks(const char* kind, const std::vector<spec::Hook>& hooks, std::string_view state);

}  // namespace nacre::runtime
