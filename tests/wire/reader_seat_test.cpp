// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/reader_seat.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace nacre::fuse {
namespace {

using namespace std::chrono_literals;

TEST(ReaderSeat, OneAtATime) {
  ReaderSeat seat;
  ASSERT_TRUE(seat.take());
  auto second = std::async(std::launch::async, [&] { return seat.take(); });
  EXPECT_EQ(second.wait_for(20ms), std::future_status::timeout);
  seat.leave();
  EXPECT_TRUE(second.get());
}

TEST(ReaderSeat, AQuickAnswerKeepsIt) {
  ReaderSeat seat;
  ASSERT_TRUE(seat.take());
  const auto first = seat.begin_answer();
  EXPECT_EQ(seat.answering(), first);
  EXPECT_TRUE(seat.end_answer(first));
  // Waiting for a request is not answering one, however long it takes.
  EXPECT_EQ(seat.answering(), 0U);
  seat.evict(seat.answering());
  const auto second = seat.begin_answer();
  EXPECT_EQ(seat.last(), second);
  seat.evict(first);
  EXPECT_TRUE(seat.end_answer(second));
}

TEST(ReaderSeat, ASlowAnswerLosesIt) {
  ReaderSeat seat;
  ASSERT_TRUE(seat.take());
  const auto slow = seat.begin_answer();
  auto other = std::async(std::launch::async, [&] { return seat.take(); });
  seat.evict(slow);
  ASSERT_TRUE(other.get());
  // Its late end does not free the seat while the next one answers.
  const auto next = seat.begin_answer();
  EXPECT_FALSE(seat.end_answer(slow));
  EXPECT_TRUE(seat.end_answer(next));
  auto third = std::async(std::launch::async, [&] { return seat.take(); });
  EXPECT_EQ(third.wait_for(20ms), std::future_status::timeout);
  seat.leave();
  EXPECT_TRUE(third.get());
}

TEST(ReaderSeat, ClosingSendsAllHome) {
  ReaderSeat seat;
  ASSERT_TRUE(seat.take());
  auto waiting = std::async(std::launch::async, [&] { return seat.take(); });
  seat.close();
  EXPECT_FALSE(waiting.get());
  seat.leave();
  EXPECT_FALSE(seat.take());
}

// Under the thread sanitizer: what a holder did is seen by the next one, also by one that took its seat away.
TEST(ReaderSeat, BelongsToOneWhileOthersEvict) {
  constexpr int kTurns = 2000;
  ReaderSeat seat;
  int turns = 0;  // the holder's
  std::atomic<int> holders{0};
  const auto work = [&] {
    while (seat.take()) {
      for (bool mine = true; mine;) {
        EXPECT_EQ(holders++, 0);
        const bool last = ++turns > kTurns;
        --holders;
        if (last) {
          seat.leave();
          seat.close();
          return;
        }
        const bool slow = turns % 7 == 0;
        const auto answer = seat.begin_answer();
        if (slow) std::this_thread::yield();
        mine = seat.end_answer(answer);
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  std::atomic<bool> done{false};
  std::thread watcher([&] {
    while (!done) seat.evict(seat.answering());
  });
  for (auto& thread : threads) thread.join();
  done = true;
  watcher.join();
  EXPECT_GT(turns, kTurns);
  EXPECT_LE(turns, kTurns + 4);
}

}  // namespace
}  // namespace nacre::fuse
