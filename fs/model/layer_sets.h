// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "fs/model/types.h"

namespace nacre::fs {

// The lower layers that a directory is merged from, as a number: trees have few distinct
// combinations, so each is stored once and for ever. Not thread-safe, but a span that was
// handed out stays valid and unchanged.
class LayerSets {
 public:
  using Ref = std::uint32_t;  // 0 is the empty set

  LayerSets() { static_cast<void>(intern({})); }
  Ref intern(const std::vector<LayerIndex>& layers) {
    const auto [place, fresh] = numbers_.try_emplace(layers, static_cast<Ref>(sets_.size()));
    if (fresh) sets_.push_back(layers);
    return place->second;
  }
  std::span<const LayerIndex> get(Ref set) const { return sets_[set]; }

 private:
  std::deque<std::vector<LayerIndex>> sets_;
  std::map<std::vector<LayerIndex>, Ref> numbers_;
};

}  // namespace nacre::fs
