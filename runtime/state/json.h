// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/state/store.h"

namespace nacre::runtime {

// The text of a state file and back. Unknown keys are ignored, so that an older program can read
// what a newer one wrote.
std::string format_state(const State& state);
Result<State> parse_state(std::string_view text);

}  // namespace nacre::runtime
