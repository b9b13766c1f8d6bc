// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

// Stopping and continuing a whole cgroup.
namespace nacre::runtime::freezer {

// cgroup v1's freezer controller, on `directory` of its hierarchy. Thawing includes the cgroups
// below, which may have been frozen on their own. Returns when the kernel says that it is done;
// ETIMEDOUT after ten seconds, thawed again if it was freezing that failed.
Result<> set_v1(const std::string& directory, bool frozen);
// v2's cgroup.freeze, the same way.
Result<> set_v2(const std::string& directory, bool frozen);

// Whether it is frozen, or on the way there. False for a cgroup that does not exist.
Result<bool> is_frozen_v1(const std::string& directory);
Result<bool> is_frozen_v2(const std::string& directory);

}  // namespace nacre::runtime::freezer
