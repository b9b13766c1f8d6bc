// SPDX-License-Identifier: Apache-2.0
#include "fs/model/dir_offsets.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <tuple>

namespace nacre::fs {
namespace {

std::uint64_t wanted_offset(std::string_view name) {
  if (name == ".") return 1;
  if (name == "..") return 2;
  constexpr std::uint64_t kFirst = 3, kLast = (std::uint64_t{1} << 31) - (std::uint64_t{1} << 24);
  return kFirst + std::hash<std::string_view>{}(name) % (kLast - kFirst);
}

}  // namespace

void assign_offsets(std::vector<MergedEntry>& entries) {
  for (auto& entry : entries) entry.offset = wanted_offset(entry.name);
  std::ranges::sort(entries, {}, [](const MergedEntry& entry) { return std::tie(entry.offset, entry.name); });
  std::uint64_t last = 0;
  for (auto& entry : entries) last = entry.offset = std::max(entry.offset, last + 1);
}

}  // namespace nacre::fs
