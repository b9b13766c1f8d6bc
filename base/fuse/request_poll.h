// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace nacre::fuse {

// Waits for the next request on a descriptor that does not block, after read(2) has said that there is none
// (EAGAIN). Before it sleeps it may look for one for a moment: to be woken by another processor costs more
// than most requests do. Adaptive and bounded: it looks only when the last request came soon after the one
// before, and not when others want the processor. Whoever asks on this processor is given it: by
// sched_yield(2), and if no request has come within 2 us, by sleeping, because to go on looking would only
// keep it waiting. An idle connection costs nothing. One object per connection, used by one thread at a time.
class RequestPoll {
 public:
  using Duration = std::chrono::nanoseconds;
  // `longest`: how long to look at most; 0 turns it off.
  explicit RequestPoll(Duration longest) : longest_(longest) {}

  // Returns when it is time to read `fd` again, be there a request or not, or when a signal came.
  void wait(int fd);
  // To be called when a request was read.
  void received();

 private:
  using Clock = std::chrono::steady_clock;

  const Duration longest_;
  std::optional<Clock::time_point> waiting_since_;  // for the request that is to come
  bool gave_way_ = false;                           // the last wait let somebody else have the processor
  bool worthwhile_ = true;                          // the last request came within `longest_`
  bool same_processor_ = false;                     // it seems to have come from this one
  unsigned pause_ = 0;  // for how many requests not to look: the processor is wanted
};

}  // namespace nacre::fuse
