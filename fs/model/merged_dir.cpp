// SPDX-License-Identifier: Apache-2.0
#include "fs/model/merged_dir.h"

#include <dirent.h>

#include <string_view>
#include <unordered_map>

#include "fs/layer/markers.h"

namespace nacre::fs {
namespace {

constexpr std::size_t kRemoved = static_cast<std::size_t>(-1);

}  // namespace

std::vector<MergedName> merge(const std::vector<Listing>& layers) {
  std::vector<MergedName> names;
  // Where a name is in `names`, or kRemoved. The keys point into the input.
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    // An archive's marker removes from the layers below and not from its own.
    std::vector<std::string_view> removed;
    for (const auto& entry : layers[layer].entries) {
      if (is_archive_marker(entry.name)) {
        removed.push_back(std::string_view(entry.name).substr(kArchiveMarker.size()));
        continue;
      }
      const auto [place, fresh] = seen.try_emplace(entry.name, entry.whiteout ? kRemoved : names.size());
      if (!fresh) {
        if (place->second != kRemoved && entry.type == DT_DIR && names[place->second].type == DT_DIR)
          names[place->second].dir_below = true;
      } else if (!entry.whiteout) {
        names.push_back({entry.name, entry.ino, entry.type, layer, false});
      }
    }
    for (const auto name : removed) seen.try_emplace(name, kRemoved);
  }
  return names;
}

}  // namespace nacre::fs
