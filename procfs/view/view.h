// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "procfs/view/cpu_clock.h"
#include "procfs/view/disk.h"
#include "procfs/view/memory.h"
#include "procfs/view/time.h"

namespace nacre::procfs {

// Everything the files and system calls of one container say about one instant. Immutable
// once made, shared by all readers of that moment.
struct View {
  MemoryView memory;
  TimeView time;
  std::vector<unsigned> cpus;       // the machine's numbers, ascending
  std::vector<unsigned> numbers;    // the container's: 0 … size-1, or the machine's
  std::vector<CpuTimes> cpu_times;  // one for each of `cpus`
  CpuTimes cpu_total;
  std::vector<DiskView> disks;
};

}  // namespace nacre::procfs
