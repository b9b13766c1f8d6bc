// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace nacre {

// Time as the components see it, so that tests can move it.
class Clock {
 public:
  virtual ~Clock() = default;
  // CLOCK_BOOTTIME of the time namespace the program runs in.
  virtual std::chrono::nanoseconds boottime() const = 0;
  // CLOCK_REALTIME since the epoch.
  virtual std::chrono::nanoseconds realtime() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::chrono::nanoseconds boottime() const override;
  std::chrono::nanoseconds realtime() const override;
};

}  // namespace nacre
