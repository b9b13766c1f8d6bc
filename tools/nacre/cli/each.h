// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/nacre/container/record.h"

namespace nacre::tool::cli {

// Does something to each named container and prints the names that it was done for. One
// failure is logged and does not stop the others; the exit code tells of it.
Result<int> for_each_container(const std::vector<std::string>& names,
                               const std::function<Result<>(const Record&)>& action);

}  // namespace nacre::tool::cli
