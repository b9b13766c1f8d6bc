// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace nacre::fuse {

// Looks for the next request for a moment before sleeping: to be woken costs more than most
// requests do. Adaptive and bounded: it looks only when the last request came soon after the
// one before, and not when others want the processor; an idle connection costs nothing. One
// object per connection, used by one thread at a time.
class RequestPoll {
 public:
  using Duration = std::chrono::nanoseconds;
  // `longest`: how long to look at most; 0 turns it off.
  explicit RequestPoll(Duration longest) : longest_(longest) {}

  // Returns when there is a request on `fd`, or when it is time to sleep in read(2).
  void wait(int fd);
  // To be called when a request was read.
  void received();

 private:
  using Clock = std::chrono::steady_clock;

  const Duration longest_;
  Clock::time_point waiting_since_;
  bool worthwhile_ = false;  // the last request came within `longest_`
  unsigned pause_ = 0;       // for how many requests not to look: the processor is wanted
};

}  // namespace nacre::fuse
