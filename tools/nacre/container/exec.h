// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace nacre::tool {

struct ExecRequest {
  std::string container;  // id or name
  std::vector<std::string> command, environment;
  std::string workdir, user;  // empty: the container's own
  bool interactive = false, terminal = false;
};

// Runs another process in a running container to its end; its exit code.
Result<int> exec_in(const ExecRequest& request);

}  // namespace nacre::tool
