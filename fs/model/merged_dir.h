// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nacre::fs {

// One name as one layer has it.
struct ListedEntry {
  std::string name;
  std::uint64_t ino = 0;
  unsigned char type = 0;  // DT_*
  bool whiteout = false;
};

// A directory of one layer.
struct Listing {
  std::vector<ListedEntry> entries;
};

struct MergedName {
  std::string name;
  std::uint64_t ino = 0;
  unsigned char type = 0;  // DT_*
  std::size_t layer = 0;   // place in the input of the layer that shows it
  bool dir_below = false;  // a directory that a lower listing has as a directory, too
};

// The names of a directory merged of several layers, topmost first: each name as the
// topmost layer has it, without those that a whiteout or an archive's ".wh." file removes
// from the layers below. Pure.
std::vector<MergedName> merge(const std::vector<Listing>& layers);

}  // namespace nacre::fs
