// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace nacre::procfs {

struct Options {
  bool foreground = false;
  std::string directory;  // of the socket, the mount point, the lock and the pid file
  std::string shared;     // the directory of SharedMounts; empty for none
  std::optional<std::chrono::milliseconds> idle_exit;
};

// Reads the command line; on --help, --version or a mistake it prints and returns nothing,
// with the exit status in `status`.
std::optional<Options> parse_options(int argc, char** argv, int& status);

}  // namespace nacre::procfs
