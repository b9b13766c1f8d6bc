// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
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
// about that, a SeatWatch frees the seat in its place. Thread-safe.
class ReaderSeat {
 public:
  // A number, never 0: the time of each would cost more than all else that is done about the seat.
  using Answer = std::uint64_t;

  // Waits for the seat. False: the seat is closed, go home.
  bool take();
  // The holder's, while it does not answer, and evict()'s in its place: gives the seat to a resting
  // worker.
  void leave();
  // Around a request that is answered while holding the seat. False: the seat is lost.
  Answer begin_answer();
  bool end_answer(Answer answer);
  // The one that the holder is at; 0: it does not answer.
  Answer answering() const { return answering_; }
  // The one that was begun last.
  Answer last() const { return last_; }
  // Frees the seat if its holder is still at that answer; 0 is none.
  void evict(Answer answer);
  // The thread (gettid(2)) that took the seat last.
  pid_t holder() const { return holder_; }
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
  bool closed_ = false;
  std::atomic<pid_t> holder_{0};
  std::atomic<Answer> last_{0};  // only the holder changes it
  // The holder's answer; 0: it does not answer, or has lost the seat over the one that it began. Whichever of
  // the holder and evict() sets it to 0 decides who has the seat.
  std::atomic<Answer> answering_{0};
};

}  // namespace nacre::fuse
