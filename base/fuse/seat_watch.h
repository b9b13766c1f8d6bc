// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "base/fuse/reader_seat.h"

namespace nacre::fuse {

// Frees a seat when its holder is still at the answer that an earlier look saw: after `patience`, or up to
// twice as long, where look() is called every `patience`. One that computes, or was only interrupted by
// others, will be quick enough when it is its turn, and has 20 ms at least. Used by one thread.
class SeatWatch {
 public:
  using Duration = std::chrono::milliseconds;
  // `patience` is more than 0.
  SeatWatch(ReaderSeat& seat, Duration patience) : seat_(seat), patience_(patience) {}

  void look();
  // Whether an answer was begun since this was asked last, or goes on.
  bool used_since_asked();

 private:
  using Clock = std::chrono::steady_clock;

  ReaderSeat& seat_;
  const Duration patience_;
  ReaderSeat::Answer seen_ = 0;        // the last one that a look has found
  Clock::time_point since_{};          // when a look found it first, or nothing
  ReaderSeat::Answer last_asked_ = 0;  // ReaderSeat::last() when it was asked
};

}  // namespace nacre::fuse
