// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "fs/layer/layer.h"
#include "fs/model/types.h"

namespace nacre::fs {

// The lower layers of a mount. The number of a layer says where it is, the lower the number, the higher
// the layer. It never changes: the lowest one has kMost, and what is put on top later counts down from
// there. Others may read while add() runs, which runs once at a time.
class LowerLayers {
 public:
  static constexpr LayerIndex kMost = 1024;

  // The last `data_only` ones are not merged: only redirects lead there.
  explicit LowerLayers(std::size_t data_only) : last_merged_(static_cast<LayerIndex>(kMost - data_only)) {}

  // On top of all others, topmost first. Fails, and none is added, when there would be too many.
  Result<> add(std::vector<std::unique_ptr<Layer>> layers);

  Layer& at(LayerIndex index) const { return *layers_[index - 1].layer; }
  LayerIndex top() const { return top_.load(std::memory_order_acquire); }
  LayerIndex last_merged() const { return last_merged_; }
  static constexpr LayerIndex last() { return kMost; }
  std::vector<LayerIndex> merged() const;  // topmost first
  // True of one layer of each file system.
  bool stands_for_its_file_system(LayerIndex index) const { return layers_[index - 1].stands_for_device; }

 private:
  struct Lower {
    std::unique_ptr<Layer> layer;
    dev_t device = 0;
    bool stands_for_device = false;
  };
  bool has_device(dev_t device) const;

  std::array<Lower, kMost> layers_;  // by number
  const LayerIndex last_merged_;
  std::atomic<LayerIndex> top_{kMost + 1};
};

}  // namespace nacre::fs
