// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/spec/spec.h"

namespace nacre::tool {

struct ResolvedUser {
  runtime::spec::User user;
  std::string home = "/";
};

// USER[:GROUP] by the container's own /etc/passwd and /etc/group below `root`, read without
// leaving it. Numbers need no entry. Empty is root. A number that does not fit 32 bits is an
// error and never a name.
Result<ResolvedUser> resolve_user(int root, std::string_view text);
// The pure part.
Result<ResolvedUser> resolve_user_in(std::string_view passwd, std::string_view group, std::string_view text);

}  // namespace nacre::tool
