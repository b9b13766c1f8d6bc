// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::tool {

struct Volume {
  std::string source, destination;
  bool read_only = false;
};

// What `nacre run` was asked for, checked.
struct RunOptions {
  std::string image;
  std::vector<std::string> command;
  std::string name, hostname, workdir = "/", user;
  bool remove = false, detach = false, interactive = false, terminal = false, read_only = false;
  bool host_network = false;
  std::optional<std::uint64_t> memory;          // bytes
  std::optional<std::int64_t> memory_and_swap;  // bytes; -1: no limit
  std::optional<std::uint64_t> cpus;            // units of 1e-9 CPU
  std::string cpuset;                           // "0-3"
  bool physical_cpus = false;                   // they keep the machine's numbers
  bool nesting = false;                         // it may hold containers with user namespaces
  std::int64_t pids_limit = 2048;               // -1: no limit
  std::vector<std::string> environment;         // K=V
  std::vector<Volume> volumes;
};

// The kernel and a small program need this much; less only gives an out-of-memory kill.
inline constexpr std::uint64_t kLeastMemory = 6u << 20;

// Each reads one option's text; the error names the option, the text and what would do.
Result<std::uint64_t> parse_memory(std::string_view text);
Result<std::int64_t> parse_memory_swap(std::string_view text);
Result<std::uint64_t> parse_cpus(std::string_view text);
Result<std::string> parse_cpuset(std::string_view text);
Result<std::int64_t> parse_pids_limit(std::string_view text);
// "K=V", or "K" for the caller's own value; nothing when the caller has none.
Result<std::optional<std::string>> parse_environment(std::string_view text);
// "SRC:DST[:ro|rw]"; SRC must exist, both are absolute (SRC may be relative to here).
Result<Volume> parse_volume(std::string_view text);
// [a-zA-Z0-9][a-zA-Z0-9_.-]*, as container engines name things.
Result<std::string> parse_name(std::string_view text);

// What only shows when all options are known.
Result<> check(const RunOptions& options);

}  // namespace nacre::tool
