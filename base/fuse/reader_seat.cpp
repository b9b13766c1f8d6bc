// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/reader_seat.h"

#include <unistd.h>

namespace nacre::fuse {

bool ReaderSeat::take() {
  std::unique_lock lock(mutex_);
  free_.wait(lock, [&] { return !taken_ || closed_; });
  if (closed_) return false;
  taken_ = true;
  holder_ = ::gettid();
  return true;
}

void ReaderSeat::leave() {
  {
    const std::lock_guard lock(mutex_);
    taken_ = false;
  }
  free_.notify_one();
}

ReaderSeat::Answer ReaderSeat::begin_answer() {
  const auto answer = last_.load(std::memory_order_relaxed) + 1;
  last_.store(answer, std::memory_order_relaxed);
  // Released to whoever evicts us: the next holder sees what we did with the seat. And in one order with what
  // the caller asks next, whether somebody watches (memory_order_seq_cst).
  answering_ = answer;
  return answer;
}

bool ReaderSeat::end_answer(Answer answer) { return answering_.compare_exchange_strong(answer, 0); }

void ReaderSeat::evict(Answer answer) {
  // In the place of the holder, who sees that it is not its own any more.
  if (answer != 0 && answering_.compare_exchange_strong(answer, 0)) leave();
}

void ReaderSeat::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  free_.notify_all();
}

}  // namespace nacre::fuse
