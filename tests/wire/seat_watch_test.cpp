// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/seat_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace nacre::fuse {
namespace {

using namespace std::chrono_literals;

// A holder that is at an answer for as long as the test lives.
class Holder {
 public:
  // It goes on with `busy` until the end.
  Holder(ReaderSeat& seat, const std::function<void()>& busy)
      : thread_([&seat, busy, this] {
          seat.take();
          answer_ = seat.begin_answer();
          while (!done_) busy();
          kept_ = seat.end_answer(answer_);
        }) {
    while (answer_ == 0) std::this_thread::yield();
  }
  ~Holder() { end(); }
  // Whether it has kept the seat.
  bool end() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    return kept_;
  }

 private:
  std::atomic<ReaderSeat::Answer> answer_{0};
  std::atomic<bool> done_{false};
  bool kept_ = false;
  std::thread thread_;
};

void sleep() { std::this_thread::sleep_for(1ms); }
void compute() {}

TEST(SeatWatch, TakesTheSeatFromOneThatWaits) {
  ReaderSeat seat;
  SeatWatch watch(seat, 1ms);
  Holder holder(seat, sleep);
  watch.look();
  EXPECT_NE(seat.answering(), 0U) << "it was seen for the first time";
  // It may be caught while it runs for a moment.
  for (int i = 0; i < 1000 && seat.answering() != 0; ++i) {
    std::this_thread::sleep_for(1ms);
    watch.look();
  }
  EXPECT_FALSE(holder.end());
}

TEST(SeatWatch, GivesOneThatComputesLonger) {
  ReaderSeat seat;
  SeatWatch watch(seat, 1ms);
  Holder holder(seat, compute);
  const auto start = std::chrono::steady_clock::now();
  while (seat.answering() != 0) {
    watch.look();
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
  EXPECT_FALSE(holder.end());
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

TEST(SeatWatch, IsIdleWhenNothingWasBegunSinceItWasAskedLast) {
  ReaderSeat seat;
  SeatWatch watch(seat, 1ms);
  ASSERT_TRUE(seat.take());
  EXPECT_TRUE(watch.idle());
  auto answer = seat.begin_answer();
  EXPECT_FALSE(watch.idle());
  EXPECT_FALSE(watch.idle()) << "it goes on";
  EXPECT_TRUE(seat.end_answer(answer));
  EXPECT_TRUE(watch.idle());
  answer = seat.begin_answer();
  EXPECT_TRUE(seat.end_answer(answer));
  EXPECT_FALSE(watch.idle()) << "there was one meanwhile";
  EXPECT_TRUE(watch.idle());
}

}  // namespace
}  // namespace nacre::fuse
