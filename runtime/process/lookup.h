// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::runtime::process {

// The value of a variable of an environment given as "K=V"; the last one wins, as in execve(2)
// followed by most shells. Empty when it is not set.
std::string variable(const std::vector<std::string>& environment, std::string_view name);

// The file that execvp(3) would execute, for the calling process's own rights and root. The
// errors are worded as engines look for them: `exec: "x": executable file not found in $PATH`,
// `exec: "x": permission denied`.
Result<std::string> find_executable(const std::string& name, const std::vector<std::string>& environment);

// Home directory of `uid` in the text of an /etc/passwd; "/" when it has no line.
std::string home_of(std::string_view passwd, uid_t uid);

}  // namespace nacre::runtime::process
