// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/reader_seat.h"

#include <unistd.h>

namespace nacre::fuse {
namespace {

std::int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace

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
  const auto answer = now();
  // Released to whoever evicts us: the next holder sees what we did with the seat.
  answering_since_.store(answer, std::memory_order_release);
  used_ = true;
  return answer;
}

// A later holder's answer began later, since evict_slow() waits for more than 0: it cannot be taken for this
// one.
bool ReaderSeat::end_answer(Answer answer) { return answering_since_.compare_exchange_strong(answer, 0); }

bool ReaderSeat::answering_for(std::chrono::nanoseconds time) const {
  const Answer since = answering_since_;
  return since != 0 && now() - since >= time.count();
}

void ReaderSeat::evict_slow(std::chrono::nanoseconds limit) {
  Answer since = answering_since_;
  if (since == 0 || now() - since < limit.count()) return;
  if (!answering_since_.compare_exchange_strong(since, 0)) return;
  leave();  // in the place of the holder, who sees that it is not its own any more
}

void ReaderSeat::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  free_.notify_all();
}

}  // namespace nacre::fuse
