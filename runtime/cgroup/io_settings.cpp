// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>

#include "runtime/cgroup/convert.h"
#include "runtime/cgroup/settings.h"

namespace nacre::runtime {
namespace {

// A throttle on one device: its own file on v1, a key of io.max on v2.
struct Throttle {
  std::string_view name;
  std::vector<spec::WeightDevice> spec::BlockIoResources::*devices;
  std::string_view v1_file, v2_key;
};
constexpr std::array kThrottles{
    Throttle{"block read bytes/s", &spec::BlockIoResources::read_bps, "blkio.throttle.read_bps_device",
             "rbps"},
    Throttle{"block write bytes/s", &spec::BlockIoResources::write_bps, "blkio.throttle.write_bps_device",
             "wbps"},
    Throttle{"block reads/s", &spec::BlockIoResources::read_iops, "blkio.throttle.read_iops_device", "riops"},
    Throttle{"block writes/s", &spec::BlockIoResources::write_iops, "blkio.throttle.write_iops_device",
             "wiops"},
};

constexpr const char* kDeviceFix =
    "name the whole disk by its major and minor number (lsblk), not a partition";

std::string device_of(const spec::WeightDevice& device) {
  return std::to_string(device.major) + ":" + std::to_string(device.minor);
}

// Weights belong to the I/O scheduler: the file has bfq's name or, with an older scheduler (v1) or
// iocost (v2), the plain one.
struct WeightFile {
  std::string name;
  bool converted;
};
std::optional<WeightFile> weight_file(bool v2, bool per_device, const CgroupFacts& facts) {
  const std::string suffix = per_device ? "_device" : "";
  if (v2) {
    if (facts.read("io", "io.bfq.weight")) return WeightFile{"io.bfq.weight", false};
    if (facts.read("io", "io.weight")) return WeightFile{"io.weight", true};
    return std::nullopt;
  }
  for (const std::string stem : {"blkio.weight", "blkio.bfq.weight"})
    if (facts.read("blkio", stem + suffix)) return WeightFile{stem + suffix, false};
  return std::nullopt;
}

Result<> add_weight(const std::string& device, std::uint64_t weight, bool v2, const CgroupFacts& facts,
                    std::vector<Setting>& out) {
  const auto limit = "block I/O weight " + std::to_string(weight);
  if (weight < 10 || weight > 1000) return bad_input(limit + ": must be 10 to 1000");
  const auto file = weight_file(v2, !device.empty(), facts);
  if (!file)
    return bad_input(limit +
                     ": this kernel has no I/O scheduler with weights; load bfq or leave the weight out");
  const auto value = std::to_string(file->converted ? convert::io_weight(weight) : weight);
  out.push_back({.limit = limit,
                 .controller = v2 ? "io" : "blkio",
                 .file = file->name,
                 .value = device.empty() ? value : device + " " + value,
                 .fix = device.empty() ? "" : kDeviceFix});
  return {};
}

bool asks(const spec::BlockIoResources& io) {
  bool throttles = false;
  for (const auto& throttle : kThrottles) throttles |= !(io.*throttle.devices).empty();
  return throttles || !io.weight_devices.empty() || (io.weight && *io.weight != 0);
}

}  // namespace

Result<> add_block_io(const spec::BlockIoResources& io, const CgroupFacts& facts, std::vector<Setting>& out) {
  if (!asks(io)) return {};
  const bool v1 = facts.on_v2("blkio").has_value();
  if (!v1 && !facts.on_v2("io")) return no_controller("block I/O limit", "io");

  if (io.weight && *io.weight != 0) TRY(add_weight("", *io.weight, !v1, facts, out));
  for (const auto& device : io.weight_devices)
    TRY(add_weight(device_of(device), device.value, !v1, facts, out));
  for (const auto& throttle : kThrottles) {
    for (const auto& device : io.*throttle.devices) {
      const auto value = std::to_string(device.value);
      const auto limit = std::string(throttle.name) + " " + value + " on device " + device_of(device);
      // Zero takes a limit away: v1 understands it, v2 says "max".
      const auto v2_value = std::string(throttle.v2_key) + "=" + (device.value == 0 ? "max" : value);
      out.push_back({.limit = limit,
                     .controller = v1 ? "blkio" : "io",
                     .file = v1 ? std::string(throttle.v1_file) : "io.max",
                     .value = device_of(device) + " " + (v1 ? value : v2_value),
                     .fix = kDeviceFix});
    }
  }
  return {};
}

}  // namespace nacre::runtime
