// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/cli/each.h"

#include <cstdio>

#include "base/log.h"
#include "tools/nacre/cli/commands.h"

namespace nacre::tool::cli {

Result<int> for_each_container(const std::vector<std::string>& names,
                               const std::function<Result<>(const Record&)>& action) {
  int code = 0;
  for (const auto& name : names) {
    auto done = [&]() -> Result<> { return action(TRY(find_record(name))); }();
    if (done) {
      std::puts(name.c_str());
    } else {
      log::error(done.error().message());
      code = kNacreFailed;
    }
  }
  return code;
}

}  // namespace nacre::tool::cli
