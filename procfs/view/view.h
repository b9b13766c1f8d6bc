// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "procfs/view/cpu_clock.h"
#include "procfs/view/disk.h"
#include "procfs/view/memory.h"
#include "procfs/view/time.h"

namespace nacre::procfs {

// What the files and system calls of one container say about one instant, in parts that say nothing of each
// other, so that a reader of one does not have to look at all. Each is immutable once made and shared by all
// readers of that moment. Its memory is a MemoryView.

struct CpuView {
  TimeView time;
  std::vector<unsigned> cpus;       // the machine's numbers, ascending
  std::vector<unsigned> numbers;    // the container's: 0 … size-1, or the machine's
  std::vector<CpuTimes> cpu_times;  // one for each of `cpus`
  CpuTimes cpu_total;
};

using DiskViews = std::vector<DiskView>;

}  // namespace nacre::procfs
