// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "procfs/sample/hot_files.h"
#include "procfs/sample/places.h"

namespace nacre::procfs {

// What the kernel counts of a container's memory management since its cgroup exists, under the names of
// /proc/vmstat, which are those of v2's memory.stat. What a hierarchy does not count is missing.
struct VmSample {
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> events;
};
Result<VmSample> sample_vm(HotFiles& files, const Places& places);

}  // namespace nacre::procfs
