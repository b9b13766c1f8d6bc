// SPDX-License-Identifier: Apache-2.0
#include "runtime/attend.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

namespace nacre::runtime {
namespace {

// Whether a process that has prepared itself so would see SIGTERM as pid 1.
bool sees_sigterm(const std::function<void()>& prepare) {
  std::array<int, 2> ready{};
  EXPECT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGTERM, SIG_DFL);
    prepare();
    ::close(ready[1]);
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char none = 0;
  EXPECT_EQ(::read(ready[0], &none, 1), 0);
  ::close(ready[0]);
  const bool sees = handles_signal(child, SIGTERM);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return sees;
}

TEST(HandlesSignal, NotByDefault) {
  EXPECT_FALSE(sees_sigterm([] {}));
  EXPECT_FALSE(sees_sigterm([] { ::signal(SIGINT, SIG_IGN); }));
}

TEST(HandlesSignal, WhenCaughtOrIgnored) {
  EXPECT_TRUE(sees_sigterm([] { ::signal(SIGTERM, [](int) {}); }));
  EXPECT_TRUE(sees_sigterm([] { ::signal(SIGTERM, SIG_IGN); }));
}

// tini and systemd take their signals with sigwait(3) or a signalfd.
TEST(HandlesSignal, WhenBlocked) {
  EXPECT_TRUE(sees_sigterm([] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
  }));
}

}  // namespace
}  // namespace nacre::runtime
