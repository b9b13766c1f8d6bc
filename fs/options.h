// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sys/call_filter.h"

namespace nacre::fs {

// What the command line of nacre-fs asks for.
struct Options {
  std::vector<std::string> lowers;     // topmost first
  std::vector<std::string> data_only;  // lower layers for data only
  std::optional<std::string> upper;
  std::optional<std::string> work;
  std::string mountpoint;
  bool foreground = false;
  bool debug = false;
  bool help = false;
  bool version = false;
  bool reload = false;  // of what is mounted on `mountpoint`
  bool sync = true;
  bool user_xattrs = false;
  bool markers = false;  // ".wh." files for whiteouts
  // Owners and modes are kept in attributes; default: where the upper's root has one already.
  enum class StatOverride { by_root, privileged, containers } stat_override = StatOverride::by_root;
  bool xattrs = true;
  bool acl = true;
  bool index = true;                                    // hard links survive copy-up
  bool redirect_dir = false;                            // directories of lower layers can be renamed
  bool metacopy = false;                                // changes of metadata copy no data
  std::string uid_mapping, gid_mapping;                 // as IdMap::parse() has them; empty: none
  std::optional<std::uint32_t> squash_uid, squash_gid;  // one owner for everything
  bool passthrough = true;          // the kernel reads and writes upper files by itself, if it can
  bool confine = sys::kConfinable;  // give up what serving does not need
  static constexpr double kForEver = 1e9;
  double timeout = kForEver;                       // seconds
  std::chrono::microseconds poll{50};              // how long to look for the next request before sleeping
  std::size_t most_inodes = std::size_t{1} << 20;  // that the kernel may remember; 0: any number
  unsigned threads = 0;                            // 0: by the number of processors
  std::vector<std::string> mount_options;          // for the FUSE library
  std::vector<std::string> ignored;                // unknown ones, to be warned about
};

// `arguments` are those after the program's name: [-f] -o OPTION,… [SOURCE] DIRECTORY in
// any order. Unknown options are collected and not refused, because callers of other union
// file systems pass all kinds of them; a value that makes no sense is an error.
Result<Options> parse_options(std::span<const std::string_view> arguments);

// The text of --help, from the same table as the parser.
std::string help_text();

// The parts of an option string: split at commas outside of double quotes; "\," is a comma.
std::vector<std::string> split_options(std::string_view text);
// The paths of lowerdir: split at colons; "\:" is a colon and "\\" a backslash. An empty one, from
// "::", stands before those for data only.
std::vector<std::string> split_paths(std::string_view text);

}  // namespace nacre::fs
