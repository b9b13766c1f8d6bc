// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/seat_watch.h"

#include <string>
#include <utility>

#include "base/sys/file.h"

namespace nacre::fuse {
namespace {

// What an answer has at least while its thread computes or only lacks a processor.
constexpr SeatWatch::Duration kComputing{20};

// Whether a thread computes, or would if it had a processor, and so does not wait for a disk.
bool wants_processor(pid_t thread) {
  const auto stat = sys::read_file("/proc/self/task/" + std::to_string(thread) + "/stat");
  if (!stat) return false;
  const auto name_end = stat->rfind(')');
  return name_end != std::string::npos && stat->size() > name_end + 2 && (*stat)[name_end + 2] == 'R';
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
