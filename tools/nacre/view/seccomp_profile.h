// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nacre::tool {

// A container engine's seccomp profile (seccomp.json of podman or docker, or the "seccomp" of an OCI
// config.json) that has sysinfo(2), and sched_getaffinity(2) if asked for, answered by the nacre-procfs that
// listens on `listener`. The text of a profile that says the same of all other calls.
Result<std::string> with_view_calls(std::string_view profile, const std::string& listener, bool affinity);

}  // namespace nacre::tool
