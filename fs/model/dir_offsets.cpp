// SPDX-License-Identifier: Apache-2.0
#include "fs/model/dir_offsets.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace nacre::fs {
namespace {

std::uint64_t wanted_offset(std::string_view name) {
  if (name == ".") return 1;
  if (name == "..") return 2;
  constexpr std::uint64_t kFirst = 3, kLast = (std::uint64_t{1} << 31) - (std::uint64_t{1} << 24);
  return kFirst + std::hash<std::string_view>{}(name) % (kLast - kFirst);
}

}  // namespace

void assign_offsets(MergedListing& entries) {
  struct Place {
    std::uint64_t offset;
    std::size_t index;
  };
  std::vector<Place> places;
  places.reserve(entries.size());
  for (const auto& entry : entries) places.push_back({wanted_offset(entry.name), places.size()});
  std::ranges::sort(places, [&](const Place& one, const Place& other) {
    return one.offset != other.offset ? one.offset < other.offset
                                      : entries[one.index].name < entries[other.index].name;
  });
  MergedListing ordered;
  ordered.reserve(entries.size());
  std::uint64_t last = 0;
  for (const auto& place : places) {
    auto& entry = ordered.emplace_back(std::move(entries[place.index]));
    last = entry.offset = std::max(place.offset, last + 1);
  }
  entries = std::move(ordered);
}

}  // namespace nacre::fs
