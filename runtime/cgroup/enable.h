// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "base/cgroup/hierarchy.h"
#include "base/result.h"

namespace nacre::runtime {

// Enables controllers in each parent of the v2 cgroup `path`, from the top down
// (cgroup.subtree_control), so that the cgroup itself has their files. Those in `needed`
// must work out; with `accounting` the common ones (cpu, cpuset, io, memory, pids, hugetlb) are
// enabled too where the kernel has them, so that their numbers can be read. A controller that
// cannot be enabled because a parent holds processes itself is an error that says so.
Result<> enable_controllers(const cgroup::Hierarchy& hierarchy, const std::string& path,
                            const std::set<std::string>& needed, bool accounting);

}  // namespace nacre::runtime
