// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/request_poll.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/unique_fd.h"

namespace nacre::fuse {
namespace {

using namespace std::chrono_literals;

// As Session does: reads until there is a request. One that is lost hangs.
void next(RequestPoll& poll, int fd) {
  eventfd_t request = 0;
  while (::eventfd_read(fd, &request) != 0) poll.wait(fd);
  poll.received();
}

class RequestPolls : public testing::TestWithParam<std::chrono::microseconds> {};

TEST_P(RequestPolls, BringsEveryRequestHoweverLateItComes) {
  const UniqueFd fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)};
  RequestPoll poll(GetParam());
  std::thread sender([&] {
    for (int i = 0; i < 200; ++i) {
      ::eventfd_write(fd.get(), 1);
      if (i % 4 != 0) std::this_thread::sleep_for(i % 3 * 30us);
      if (i == 100) std::this_thread::sleep_for(5ms);
    }
  });
  for (int i = 0; i < 200; ++i) next(poll, fd.get());
  sender.join();
}
INSTANTIATE_TEST_SUITE_P(LooksForThem, RequestPolls, testing::Values(0us, 50us));

TEST(RequestPoll, SleepsUntilASignal) {
  struct sigaction ignore {};
  ignore.sa_handler = [](int) {};
  ::sigaction(SIGURG, &ignore, nullptr);
  const UniqueFd fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  RequestPoll poll(1us);
  std::atomic<bool> stop{false}, stopped{false};
  std::atomic<int> waits{0};
  std::thread waiting([&] {
    while (!stop) {
      poll.wait(fd.get());
      waits += 1;
    }
    stopped = true;
  });
  // At last it sleeps, and does not go on to look.
  int looks = -1;
  for (int i = 0; i < 500 && (looks <= 0 || waits != looks); ++i) {
    looks = waits;
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_GT(looks, 0);
  EXPECT_EQ(waits, looks);
  stop = true;
  while (!stopped) {
    ::pthread_kill(waiting.native_handle(), SIGURG);
    std::this_thread::sleep_for(1ms);
  }
  waiting.join();
}

}  // namespace
}  // namespace nacre::fuse
