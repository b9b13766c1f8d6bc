// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/control/protocol.h"

// What is needed of a container that another program has made.
namespace nacre::tool {

// Of the container whose first process is `init`, a number in the pid namespace of /proc. nacre-procfs finds
// its cgroups: seen from a cgroup namespace they would have other names.
control::Registration registration_of(std::string id, pid_t init, bool physical_cpus);

// Puts the view below `root`, as the calling process sees it; how many places have it now. Only over the
// kernel's own files: a mask, or somebody else's view, was put there on purpose. Symlinks stay below `root`.
Result<int> put_over_kernel_files(const std::vector<control::ViewMount>& mounts, const std::string& root);

}  // namespace nacre::tool
