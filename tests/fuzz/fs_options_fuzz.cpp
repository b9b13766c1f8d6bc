// SPDX-License-Identifier: Apache-2.0
// The command line of nacre-fs, one argument a line.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/parse.h"
#include "fs/options.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nacre::fuzz::require;
  const auto text = nacre::fuzz::text_of(data, size);
  if (text.find('\0') != text.npos) return 0;  // no argument holds one

  const auto arguments = nacre::split(text, '\n');
  const auto options = nacre::fs::parse_options(arguments);
  if (options && !options->help && !options->version && !options->reload) {
    require(!options->lowers.empty(), "a file system has a lower layer");
    require(!options->upper || options->work, "an upper layer comes with a work directory");
  }
  const auto commas = static_cast<std::size_t>(std::ranges::count(text, ','));
  require(nacre::fs::split_options(text).size() <= commas + 1, "an option ends at a comma only");
  const auto colons = static_cast<std::size_t>(std::ranges::count(text, ':'));
  require(nacre::fs::split_paths(text).size() <= colons + 1, "a path ends at a colon only");
  return 0;
}
