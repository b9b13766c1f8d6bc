// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::fs {

// What the command line of nacre-fs asks for.
struct Options {
  std::vector<std::string> lowers;  // topmost first
  std::optional<std::string> upper;
  std::optional<std::string> work;
  std::string mountpoint;
  bool foreground = false;
  bool debug = false;
  bool help = false;
  bool version = false;
  bool sync = true;
  bool user_xattrs = false;
  bool xattrs = true;
  bool acl = true;
  double timeout = 1e9;                    // seconds
  unsigned threads = 0;                    // 0: by the number of processors
  std::vector<std::string> mount_options;  // for the FUSE library
  std::vector<std::string> ignored;        // unknown ones, to be warned about
};

// `arguments` are those after the program's name: [-f] -o OPTION,… [SOURCE] DIRECTORY in
// any order. Unknown options are collected and not refused, because callers of other union
// file systems pass all kinds of them; a value that makes no sense is an error.
Result<Options> parse_options(std::span<const std::string_view> arguments);

// The text of --help, from the same table as the parser.
std::string help_text();

// The parts of an option string: split at commas outside of double quotes; "\," is a comma.
std::vector<std::string> split_options(std::string_view text);
// The paths of lowerdir: split at colons; "\:" is a colon and "\\" a backslash.
std::vector<std::string> split_paths(std::string_view text);

}  // namespace nacre::fs
