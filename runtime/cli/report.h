// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/cli/commands.h"

namespace nacre::runtime::cli {

// Tells the caller about a failure: on standard error for people and for engines that forward
// it, and in the file of --log for engines that read that. With --log-format=json that is one
// object on one line, and nothing else ever goes into the file: podman parses the whole of it.
void report(const Invocation& call, const Error& error);

}  // namespace nacre::runtime::cli
