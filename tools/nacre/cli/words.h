// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace nacre::tool::cli {

// What follows a command's own options. Never empty: the first word is required.
using Words = std::function<Result<std::vector<std::string>>()>;

// Lets option parsing end at the first word, so that everything after it, options included,
// belongs to the container's command. `usage` is how the words are written ("IMAGE [COMMAND…]"),
// `explanation` ends the help text.
Words take_words(CLI::App& command, const std::string& usage, const std::string& explanation);

}  // namespace nacre::tool::cli
