// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/cli/words.h"

#include <CLI/CLI.hpp>

namespace nacre::tool::cli {

Words take_words(CLI::App& command, const std::string& usage, const std::string& explanation) {
  const auto name = command.get_name();
  command.prefix_command();
  command.footer("usage: nacre " + name + " [OPTIONS] " + usage +
                 (explanation.empty() ? "" : "\n" + explanation));
  return [&command, name, usage]() -> Result<std::vector<std::string>> {
    auto words = command.remaining();
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    if (words.empty()) return bad_input("usage: nacre " + name + " [OPTIONS] " + usage);
    if (words.front().starts_with('-'))
      return bad_input("unknown option " + words.front() + "; see: nacre " + name + " --help");
    return words;
  };
}

}  // namespace nacre::tool::cli
