// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

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
  // When an answer began: steady clock, ns. Never 0.
  using Answer = std::int64_t;

  // Waits for the seat. False: the seat is closed, go home.
  bool take();
  // The holder's, while it does not answer, and evict_slow()'s in its place: gives the seat to a resting
  // worker.
  void leave();
  // Around a request that is answered while holding the seat. False: the seat is lost.
  Answer begin_answer();
  bool end_answer(Answer answer);
  // Frees the seat if its holder has been answering for at least `limit`, which is more than 0.
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
  std::atomic<pid_t> holder_{0};
  // The holder's answer; 0: it does not answer, or has lost the seat over the one that it began. Whichever of
  // the holder and evict_slow() sets it to 0 decides who has the seat.
  std::atomic<Answer> answering_since_{0};
  std::atomic<bool> used_{false};
};

}  // namespace nacre::fuse
