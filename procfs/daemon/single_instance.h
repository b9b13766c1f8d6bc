// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// Takes the lock of a daemon directory, held as long as the descriptor is open. When another daemon has it,
// waits until that one answers its socket (it may just be starting), then for its end for as long as
// `patience`, and fails; when that one is leaving instead, takes over from it.
Result<UniqueFd> become_the_only_one(const std::string& directory, std::chrono::seconds patience);

}  // namespace nacre::procfs
