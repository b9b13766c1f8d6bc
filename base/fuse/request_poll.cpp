// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/request_poll.h"

#include <poll.h>
#include <sched.h>

#include <algorithm>

namespace nacre::fuse {
namespace {

// sched_yield(2) takes no longer than this when nobody else is there to run.
constexpr auto kAlone = std::chrono::microseconds(2);
// A request that comes sooner than this is taken to come from this processor: in a virtual machine to be
// woken by another takes longer. Where it does not, we sleep at once, and lose no more than such a short
// wake-up.
constexpr auto kNear = std::chrono::microseconds(20);
// For so many requests the processor is left to others who have kept it for longer than kNear.
constexpr unsigned kPause = 32;

}  // namespace

void RequestPoll::wait(int fd) {
  const auto now = Clock::now();
  if (!waiting_since_) waiting_since_ = now;
  const auto look = same_processor_ ? std::min<Duration>(kAlone, longest_) : longest_;
  if (worthwhile_ && pause_ == 0 && now - *waiting_since_ < look) {
    ::sched_yield();
    const auto away = Clock::now() - now;
    gave_way_ = away > kAlone;
    if (away > kNear) pause_ = kPause;
    return;
  }
  gave_way_ = true;
  pollfd request{.fd = fd, .events = POLLIN, .revents = 0};
  static_cast<void>(::poll(&request, 1, -1));
}

void RequestPoll::received() {
  if (pause_ > 0) --pause_;
  if (!waiting_since_) {  // it was there already
    worthwhile_ = true;
    return;
  }
  const auto waited = Clock::now() - *waiting_since_;
  waiting_since_.reset();
  worthwhile_ = waited < longest_;
  same_processor_ = gave_way_ && waited < kNear;
}

}  // namespace nacre::fuse
