// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/reader_seat.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace nacre::fuse {
namespace {

using namespace std::chrono_literals;

TEST(ReaderSeat, OneAtATime) {
  ReaderSeat seat;
  const auto first = seat.take();
  ASSERT_TRUE(first);
  auto second = std::async(std::launch::async, [&] { return seat.take(); });
  EXPECT_EQ(second.wait_for(20ms), std::future_status::timeout);
  seat.leave(*first);
  EXPECT_TRUE(second.get());
}

TEST(ReaderSeat, AQuickAnswerKeepsIt) {
  ReaderSeat seat;
  const auto turn = seat.take();
  seat.begin_answer();
  seat.evict_slow(1h);
  EXPECT_TRUE(seat.end_answer(*turn));
  // Waiting for a request is not answering one, however long it takes.
  seat.evict_slow(0ns);
  seat.begin_answer();
  EXPECT_TRUE(seat.end_answer(*turn));
}

TEST(ReaderSeat, ASlowAnswerLosesIt) {
  ReaderSeat seat;
  const auto slow = seat.take();
  seat.begin_answer();
  auto other = std::async(std::launch::async, [&] { return seat.take(); });
  std::this_thread::sleep_for(2ms);
  seat.evict_slow(1ms);
  const auto next = other.get();
  ASSERT_TRUE(next);
  EXPECT_FALSE(seat.end_answer(*slow));
  // The old holder cannot give away what is another's now.
  seat.leave(*slow);
  auto third = std::async(std::launch::async, [&] { return seat.take(); });
  EXPECT_EQ(third.wait_for(20ms), std::future_status::timeout);
  seat.leave(*next);
  EXPECT_TRUE(third.get());
}

TEST(ReaderSeat, ClosingSendsAllHome) {
  ReaderSeat seat;
  const auto turn = seat.take();
  auto waiting = std::async(std::launch::async, [&] { return seat.take(); });
  seat.close();
  EXPECT_FALSE(waiting.get());
  seat.leave(*turn);
  EXPECT_FALSE(seat.take());
}

}  // namespace
}  // namespace nacre::fuse
