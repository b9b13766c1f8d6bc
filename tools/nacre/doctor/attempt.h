// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nacre::tool::doctor {

// Runs `attempt` in a child process, because what it does cannot be undone, and gives the
// errno it returned, 0 for success. `attempt` must not allocate.
int in_child(int (*attempt)());

}  // namespace nacre::tool::doctor
