// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"

namespace nacre::test {

// A server that was taken over: setting the attribute "user.attempt" of a file makes it try what
// the value names ("open", "process", "socket", "mount", "kill", "exec", "namespace", "memory").
inline constexpr std::string_view kEscape = "escape";
// Success when it could; what stopped it otherwise. EINVAL for an unknown word.
Result<> attempt_to_escape(std::string_view what);

}  // namespace nacre::test
