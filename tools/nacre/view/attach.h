// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/result.h"
#include "tools/nacre/view/foreign.h"

// The view of /proc and /sys for containers that nacre did not start.
namespace nacre::tool {

// The first process of a running container, by the id that its engine has given to its cgroup or the first 12
// digits or more of it; or any process, by its number.
Result<pid_t> find_container_process(std::string_view container);

// Registers the container of that process with nacre-procfs and puts the view over its /proc and /sys. What
// the container does not have, or something else than the kernel's own files, stays as it is. A process that
// runs cannot be given a filter, so sysinfo(2) stays the machine's.
Result<> attach_view(pid_t process, const ViewOptions& options);
// Takes it away again. An error when there is none.
Result<> detach_view(pid_t process);

}  // namespace nacre::tool
