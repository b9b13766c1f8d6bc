// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/reader_seat.h"

#include <unistd.h>

namespace nacre::fuse {
namespace {

std::int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace

std::optional<ReaderSeat::Turn> ReaderSeat::take() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return !taken_ || closed_; });
  if (closed_) return std::nullopt;
  taken_ = true;
  holder_ = ::gettid();
  return ++turn_;
}

void ReaderSeat::leave(Turn turn) {
  {
    const std::lock_guard lock(mutex_);
    if (!taken_ || turn_ != turn) return;
    taken_ = false;
    answering_since_ = 0;
  }
  free_.notify_one();
}

void ReaderSeat::begin_answer() {
  // Released to whoever evicts us: the next holder sees what we did with the seat.
  answering_since_.store(now(), std::memory_order_release);
  used_ = true;
}

bool ReaderSeat::end_answer(Turn turn) {
  const std::lock_guard lock(mutex_);
  if (turn_ != turn) return false;
  answering_since_ = 0;
  return true;
}

bool ReaderSeat::answering_for(std::chrono::nanoseconds time) const {
  const std::int64_t since = answering_since_;
  return since != 0 && now() - since >= time.count();
}

void ReaderSeat::evict_slow(std::chrono::nanoseconds limit) {
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t since = answering_since_;
    if (!taken_ || since == 0 || now() - since < limit.count()) return;
    taken_ = false;
    answering_since_ = 0;
    ++turn_;  // the holder sees that the seat is not its any more
  }
  free_.notify_one();
}

void ReaderSeat::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  free_.notify_all();
}

}  // namespace nacre::fuse
