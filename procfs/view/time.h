// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace nacre::procfs {

// When a container began, as its own clocks tell (procfs is outside its time namespace).
struct Birth {
  // Host CLOCK_BOOTTIME at which the container's uptime was 0.
  std::chrono::nanoseconds boottime{};
  // CLOCK_BOOTTIME of its time namespace minus the host's; 0 without one of its own. ps
  // adds btime to start times that the kernel shifts by this offset, so btime is shifted
  // too; without a time namespace btime stays the host's for the same reason.
  std::chrono::nanoseconds offset{};
};

struct TimeView {
  std::chrono::nanoseconds uptime{};
  std::int64_t btime = 0;  // seconds since the epoch
};
TimeView time_view(const Birth& birth, const Clock& clock);

}  // namespace nacre::procfs
