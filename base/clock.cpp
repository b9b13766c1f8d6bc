// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <ctime>

namespace nacre {
namespace {

std::chrono::nanoseconds now(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

std::chrono::nanoseconds SystemClock::boottime() const { return now(CLOCK_BOOTTIME); }
std::chrono::nanoseconds SystemClock::realtime() const { return now(CLOCK_REALTIME); }

}  // namespace nacre
