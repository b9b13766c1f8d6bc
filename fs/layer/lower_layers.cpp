// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/lower_layers.h"

namespace nacre::fs {

Result<> LowerLayers::add(std::vector<std::unique_ptr<Layer>> layers) {
  if (layers.size() >= top())
    return bad_input("more than " + std::to_string(kMost) + " lower layers: merge some of them into one");
  std::vector<dev_t> devices;
  for (const auto& layer : layers) devices.push_back(TRY(layer->stat(*layer->root(), ".")).st_dev);
  while (!layers.empty()) {
    const auto index = static_cast<LayerIndex>(top() - 1);
    auto& lower = layers_[index - 1];
    lower.stands_for_device = !has_device(devices.back());
    lower.device = devices.back();
    lower.layer = std::move(layers.back());
    layers.pop_back();
    devices.pop_back();
    top_.store(index, std::memory_order_release);
  }
  return {};
}

std::vector<LayerIndex> LowerLayers::merged() const {
  std::vector<LayerIndex> all;
  for (auto index = top(); index <= last_merged_; ++index) all.push_back(index);
  return all;
}

bool LowerLayers::has_device(dev_t device) const {
  for (auto index = top(); index <= last(); ++index)
    if (layers_[index - 1].device == device) return true;
  return false;
}

}  // namespace nacre::fs
