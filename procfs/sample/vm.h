// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "procfs/sample/hot_files.h"
#include "procfs/sample/places.h"

namespace nacre::procfs {

// Names of the kernel's counters of memory management (mm/vmstat.c, vmstat_text), in the order of a file:
// /proc/vmstat, or those of them in /proc/zoneinfo.
class VmstatNames {
 public:
  explicit VmstatNames(std::vector<std::string> names);
  const std::vector<std::string>& in_order() const { return names_; }
  std::optional<std::size_t> find(std::string_view name) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> places_;
};

// What the kernel counts of a container's memory management since its cgroup exists, under the names of
// /proc/vmstat, which are those of v2's memory.stat. What a hierarchy does not count is missing.
struct VmSample {
  std::unordered_map<std::string, std::uint64_t> events;
};
Result<VmSample> sample_vm(HotFiles& files, const Places& places);

}  // namespace nacre::procfs
