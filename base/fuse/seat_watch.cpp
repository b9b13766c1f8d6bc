// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/seat_watch.h"

#include <utility>

#include "base/sys/process.h"

namespace nacre::fuse {
namespace {

// What an answer has at least while its thread computes or only lacks a processor.
constexpr SeatWatch::Duration kComputing{20};

// Whether a thread computes, or would if it had a processor, and so does not wait for a disk.
bool wants_processor(pid_t thread) {
  const auto stat = sys::process_stat(thread);
  return stat && stat->state == 'R';
}

}  // namespace

void SeatWatch::look() {
  const auto answer = seat_.answering();
  const auto now = Clock::now();
  if (answer == 0 || std::exchange(seen_, answer) != answer) {
    since_ = now;
    return;
  }
  if (now - since_ < patience_) return;
  if (now - since_ < kComputing && wants_processor(seat_.holder())) return;
  seat_.evict(answer);
}

bool SeatWatch::used_since_asked() {
  const auto last = seat_.last();
  return std::exchange(last_asked_, last) != last || seat_.answering() != 0;
}

}  // namespace nacre::fuse
