// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/result.h"

namespace nacre::sys {

// Gives up all capabilities but these (CAP_*, capabilities(7)) for the rest of the process's life, and for
// the programs it starts; of these it keeps those it has. Before any thread is started.
Result<> keep_capabilities(std::span<const int> kept);

}  // namespace nacre::sys
