// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace nacre::fuse {

// Which of the workers waits for the next request: one at a time, the others rest. Were all of
// them to wait, every request would wake another one, whose caches are cold, and beside a
// worker that polls a second one would be woken for nothing.
//
// The holder of the seat keeps it while it answers a request that is answered at once, so that
// nobody is woken at all, and leaves it before one that may wait for a disk. When it was wrong
// about that, evict_slow() frees the seat in its place. Thread-safe.
class ReaderSeat {
 public:
  using Turn = std::uint64_t;

  // Waits for the seat. Nothing: the seat is closed, go home.
  std::optional<Turn> take();
  // Gives the seat to a resting worker, unless it was taken away already.
  void leave(Turn turn);
  // Around a request that is answered while holding the seat. False: the seat is lost.
  void begin_answer();
  bool end_answer(Turn turn);
  // Frees the seat if its holder has been answering for at least `limit`.
  void evict_slow(std::chrono::nanoseconds limit);
  // Whether the holder is answering now, and has been for so long.
  bool answering() const { return answering_since_ != 0; }
  bool answering_for(std::chrono::nanoseconds time) const;
  // The thread (gettid(2)) that took the seat last.
  pid_t holder() const { return holder_; }
  // Whether somebody has begun an answer since this was asked last.
  bool was_used() { return used_.exchange(false); }
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
  bool closed_ = false;
  Turn turn_ = 0;
  std::atomic<pid_t> holder_{0};
  std::atomic<std::int64_t> answering_since_{0};  // steady clock, ns; 0: not answering
  std::atomic<bool> used_{false};
};

}  // namespace nacre::fuse
