// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "base/fuse/reader_seat.h"

namespace nacre::fuse {

// Looks at a seat every `patience`, and frees it when its holder is still at the answer that an earlier look
// saw: after `patience`, or up to twice as long. One that computes, or was only interrupted by others, will
// be quick enough when it is its turn, and has 20 ms at least. Used by one thread.
class SeatWatch {
 public:
  using Duration = std::chrono::milliseconds;
  // `patience` is more than 0.
  SeatWatch(ReaderSeat& seat, Duration patience) : seat_(seat), patience_(patience) {}

  Duration patience() const { return patience_; }
  void look();
  // Whether there is nothing to look for: no answer was begun since this was asked last, and none goes on.
  bool idle();

 private:
  using Clock = std::chrono::steady_clock;

  ReaderSeat& seat_;
  const Duration patience_;
  ReaderSeat::Answer seen_ = 0;  // at the last look
  Clock::time_point since_{};    // and was seen first
  ReaderSeat::Answer asked_ = 0;
};

}  // namespace nacre::fuse
