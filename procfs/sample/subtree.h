// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "base/result.h"

namespace nacre::procfs {

// Calls `visit` with a cgroup's directory and then with each one below it. Its error ends the walk, but not
// that of a cgroup below that goes away meanwhile or counts nothing of its own (ENOENT, ENODEV, EOPNOTSUPP).
// Cgroups may be nested as deep as someone likes; what is walked is bounded.
Result<> visit_subtree(const std::string& directory,
                       const std::function<Result<>(const std::string&)>& visit);

}  // namespace nacre::procfs
