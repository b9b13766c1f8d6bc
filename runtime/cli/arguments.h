// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nacre::runtime::cli {

struct Arguments {
  std::string command;            // empty when there is none
  std::vector<std::string> own;   // for the parser of options
  std::vector<std::string> rest;  // of `exec` and `ps`: everything after the container's id
};

// Prepares the words of a command line as engines write it: `restore -no-subreaper` has one dash,
// and `exec ID cmd -x` has options that are not ours.
Arguments arrange(const std::vector<std::string>& words);

}  // namespace nacre::runtime::cli
