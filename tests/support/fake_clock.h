// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace nacre::test {

// Time stands still until a test moves it.
class FakeClock final : public Clock {
 public:
  std::chrono::nanoseconds boottime() const override { return std::chrono::nanoseconds(boottime_); }
  std::chrono::nanoseconds realtime() const override { return std::chrono::nanoseconds(realtime_); }
  void advance(std::chrono::nanoseconds by) {
    boottime_ += by.count();
    realtime_ += by.count();
  }

 private:
  std::atomic<std::int64_t> boottime_{1'000'000'000'000};
  std::atomic<std::int64_t> realtime_{1'700'000'000'000'000'000};
};

}  // namespace nacre::test
