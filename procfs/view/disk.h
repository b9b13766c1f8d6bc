// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cgroup/keyed_file.h"

namespace nacre::procfs {

struct DiskView {
  std::string name;
  std::uint64_t sectors = 0;              // of 512 bytes: its size, which is the machine's
  std::optional<std::uint16_t> number{};  // DiskNumbers
  cgroup::DeviceIo io;
};

// Keeps a container's disk counters from going backwards, when somebody resets them
// (blkio.reset_stats) or a device leaves the list for a while.
class DiskCounters {
 public:
  // The counters to show: by device number, only devices with any activity.
  std::vector<cgroup::DeviceIo> advance(const std::vector<cgroup::DeviceIo>& sample);

  // For another process that goes on with them.
  std::vector<std::uint64_t> state() const;
  void restore(const std::vector<std::uint64_t>& words);  // of state(); others are ignored

 private:
  struct Track {
    cgroup::DeviceIo last;   // as sampled
    cgroup::DeviceIo shown;  // the sum of all progress
  };
  std::map<std::pair<unsigned, unsigned>, Track> tracks_;
};

}  // namespace nacre::procfs
