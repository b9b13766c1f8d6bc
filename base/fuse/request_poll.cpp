// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/request_poll.h"

#include <poll.h>
#include <sched.h>

namespace nacre::fuse {

void RequestPoll::wait(int fd) {
  if (longest_ == Duration::zero()) return;
  waiting_since_ = Clock::now();
  if (pause_ > 0) {
    --pause_;
    return;
  }
  if (!worthwhile_) return;
  // A yield that took this long has let somebody else run.
  constexpr Duration kForeign = std::chrono::microseconds(20);
  constexpr unsigned kPause = 32;
  pollfd request{.fd = fd, .events = POLLIN, .revents = 0};
  for (auto now = waiting_since_; now - waiting_since_ < longest_;) {
    if (::poll(&request, 1, 0) != 0) return;
    ::sched_yield();
    const auto after = Clock::now();
    if (after - now > kForeign) {
      pause_ = kPause;
      return;
    }
    now = after;
  }
}

void RequestPoll::received() {
  if (longest_ != Duration::zero()) worthwhile_ = Clock::now() - waiting_since_ < longest_;
}

}  // namespace nacre::fuse
