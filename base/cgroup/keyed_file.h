// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/parse.h"
#include "base/result.h"

// The text formats of cgroup files (cgroup-v2.rst, "Interface Files"; cgroup-v1/*.rst).
namespace nacre::cgroup {

// What "max" and v1's largest page counter mean.
inline constexpr std::uint64_t kUnlimited = UINT64_MAX;

// Calls visit(key, value) for each "KEY NUMBER" line; other lines are passed over.
template <typename Visit>
void for_each_key(std::string_view text, Visit visit) {
  for (const auto line : split(text, '\n')) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    if (const auto value = parse_int<std::uint64_t>(trim(line.substr(blank + 1))))
      visit(line.substr(0, blank), *value);
  }
}

// The value of exactly `key` ("file" is not a prefix of "file_dirty"); 0 when absent.
std::uint64_t value_of(std::string_view text, std::string_view key);

// A limit: a number, or "max". v1 writes the largest page counter for no limit, and -1
// appears in cpu quotas: all of them are kUnlimited.
Result<std::uint64_t> parse_limit(std::string_view text);

// CPU time per period, both in microseconds.
struct Quota {
  std::uint64_t quota = kUnlimited;
  std::uint64_t period = 100'000;
  bool operator==(const Quota&) const = default;
};
// "max 100000" or "150000 100000" (v2 cpu.max).
Result<Quota> parse_cpu_max(std::string_view text);

// What a cgroup did to one block device.
struct DeviceIo {
  unsigned major = 0;
  unsigned minor = 0;
  std::uint64_t read_bytes = 0, write_bytes = 0, discard_bytes = 0;
  std::uint64_t reads = 0, writes = 0, discards = 0;
  bool operator==(const DeviceIo&) const = default;
};
// v2 io.stat: "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6".
std::vector<DeviceIo> parse_io_stat(std::string_view text);
// v1 blkio.throttle.io_service_bytes and io_serviced: "254:0 Read 1".
std::vector<DeviceIo> parse_blkio(std::string_view bytes, std::string_view operations);

}  // namespace nacre::cgroup
