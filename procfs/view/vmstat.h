// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "procfs/sample/vm.h"
#include "procfs/view/view.h"

namespace nacre::procfs {

// In pages of this machine.
std::uint64_t pages(std::uint64_t kib);

// The value of one line of /proc/vmstat: an event that the kernel counts for the cgroup, or an amount of
// the container's memory, in the line's own unit. 0 when the line has no source.
std::uint64_t vmstat_value(std::string_view name, const VmSample& vm, const MemoryView& memory,
                           const DiskViews& disks);

}  // namespace nacre::procfs
