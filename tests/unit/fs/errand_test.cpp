// SPDX-License-Identifier: Apache-2.0
#include "fs/errand.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace nacre::fs {
namespace {

using namespace std::chrono_literals;

TEST(Errand, IsTriedUntilItReachesItsEnd) {
  std::atomic<int> tries = 0;
  std::promise<void> done;
  Errand errand([&] {
    if (++tries < 4) return false;
    done.set_value();
    return true;
  });
  errand.ask();
  EXPECT_EQ(done.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(tries, 4);
}

TEST(Errand, IsDoneOnceMoreWhenAskedWhileItIsBusy) {
  std::atomic<int> tries = 0;
  std::promise<void> busy, asked;
  {
    Errand errand([&] {
      if (++tries == 1) {
        busy.set_value();
        asked.get_future().wait();
      }
      return true;
    });
    errand.ask();
    busy.get_future().wait();
    errand.ask();
    errand.ask();
    asked.set_value();
  }
  EXPECT_EQ(tries, 2);
}

TEST(Errand, IsNotTriedAgainAtTheEnd) {
  std::atomic<int> tries = 0;
  std::promise<void> begun;
  {
    Errand errand([&] {
      if (++tries == 1) begun.set_value();
      return false;
    });
    errand.ask();
    begun.get_future().wait();
  }
  EXPECT_LT(tries, 11);  // so many there are in its second
}

}  // namespace
}  // namespace nacre::fs
