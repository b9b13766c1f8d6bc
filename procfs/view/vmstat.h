// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "procfs/sample/vm.h"
#include "procfs/view/view.h"

namespace nacre::procfs {

// In pages of this machine.
std::uint64_t pages(std::uint64_t kib);

// The values of lines of /proc/vmstat: an event that the kernel counts for the cgroup, or an amount of the
// container's memory, in the line's own unit. 0 where a line has no source.
std::vector<std::uint64_t> vmstat_values(const VmstatNames& names, const VmSample& vm,
                                         const MemoryView& memory, const DiskViews& disks);

}  // namespace nacre::procfs
