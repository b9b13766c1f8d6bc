// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "runtime/spec/spec.h"

// Resource limits of the container's process (runtime-spec config.md "rlimits", setrlimit(2)).
namespace nacre::runtime::rlimits {

// Types must be known ("RLIMIT_NOFILE"), not repeated, and soft <= hard; the error names the
// entry.
Result<> validate(const std::vector<spec::Rlimit>& limits);

// Sets them on the calling process, in order. Raising a hard limit needs CAP_SYS_RESOURCE; the
// error says so and names the limit.
Result<> apply(const std::vector<spec::Rlimit>& limits);

// Raises hard limits that are below what `limits` wants, where we may, for a process that is about
// to call apply() in a user namespace, where no capability raises them. Soft limits stay.
void raise_hard(pid_t pid, const std::vector<spec::Rlimit>& limits);

}  // namespace nacre::runtime::rlimits
