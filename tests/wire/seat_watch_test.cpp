// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/seat_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace nacre::fuse {
namespace {

using namespace std::chrono_literals;

// A holder that is at one answer until the end, and does `busy` meanwhile.
class Holder {
 public:
  Holder(ReaderSeat& seat, const std::function<void(const std::atomic<bool>& done)>& busy)
      : thread_([&seat, busy, this] {
          seat.take();
          const auto answer = seat.begin_answer();
          busy(done_);
          kept_ = seat.end_answer(answer);
        }) {
    while (seat.answering() == 0) std::this_thread::yield();
  }
  ~Holder() { end(); }
  // Whether it has kept the seat.
  bool end() {
    done_ = true;
    done_.notify_one();
    if (thread_.joinable()) thread_.join();
    return kept_;
  }

 private:
  std::atomic<bool> done_{false};
  bool kept_ = false;
  std::thread thread_;
};

void wait(const std::atomic<bool>& done) { done.wait(false); }
void compute(const std::atomic<bool>& done) {
  while (!done) continue;
}

// How long it took until the seat was free, a look each millisecond.
std::chrono::nanoseconds until_free(ReaderSeat& seat) {
  SeatWatch watch(seat, 1ms);
  const auto start = std::chrono::steady_clock::now();
  while (seat.answering() != 0) {
    watch.look();
    std::this_thread::sleep_for(1ms);
  }
  return std::chrono::steady_clock::now() - start;
}

TEST(SeatWatch, TakesTheSeatFromOneThatWaits) {
  // Where we are kept from looking, it is taken when we do look, which says nothing.
  auto shortest = std::chrono::nanoseconds::max();
  for (int i = 0; i < 20; ++i) {
    ReaderSeat seat;
    Holder holder(seat, wait);
    shortest = std::min(shortest, until_free(seat));
    EXPECT_FALSE(holder.end());
  }
  EXPECT_LT(shortest, 20ms);
}

TEST(SeatWatch, GivesOneThatComputesLonger) {
  ReaderSeat seat;
  Holder holder(seat, compute);
  EXPECT_GE(until_free(seat), 20ms);
  EXPECT_FALSE(holder.end());
}

TEST(SeatWatch, LeavesItForItsPatienceHoweverOftenItLooks) {
  ReaderSeat seat;
  SeatWatch watch(seat, std::chrono::duration_cast<SeatWatch::Duration>(1h));
  ASSERT_TRUE(seat.take());
  const auto answer = seat.begin_answer();
  for (int i = 0; i < 3; ++i) watch.look();
  EXPECT_TRUE(seat.end_answer(answer));
}

TEST(SeatWatch, LeavesItToOneThatGoesFromAnswerToAnswer) {
  ReaderSeat seat;
  SeatWatch watch(seat, 1ms);
  ASSERT_TRUE(seat.take());
  for (int i = 0; i < 50; ++i) {
    const auto answer = seat.begin_answer();
    watch.look();
    std::this_thread::sleep_for(1ms);
    ASSERT_TRUE(seat.end_answer(answer));
  }
}

TEST(SeatWatch, TellsWhetherTheSeatWasUsed) {
  ReaderSeat seat;
  SeatWatch watch(seat, 1ms);
  ASSERT_TRUE(seat.take());
  EXPECT_FALSE(watch.used_since_asked());
  auto answer = seat.begin_answer();
  EXPECT_TRUE(watch.used_since_asked());
  EXPECT_TRUE(watch.used_since_asked()) << "it goes on";
  EXPECT_TRUE(seat.end_answer(answer));
  EXPECT_FALSE(watch.used_since_asked());
  answer = seat.begin_answer();
  EXPECT_TRUE(seat.end_answer(answer));
  EXPECT_TRUE(watch.used_since_asked()) << "there was one meanwhile";
  EXPECT_FALSE(watch.used_since_asked());
}

}  // namespace
}  // namespace nacre::fuse
