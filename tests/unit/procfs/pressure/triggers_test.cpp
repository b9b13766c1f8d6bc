// SPDX-License-Identifier: Apache-2.0
#include "procfs/pressure/triggers.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using State = PressureTrigger::State;

TEST(PressureTrigger, IsFiredOnceForEachTime) {
  PressureTrigger trigger{UniqueFd{}};
  int woken = 0;
  EXPECT_EQ(trigger.poll([&] { ++woken; }), State::waiting);
  EXPECT_EQ(woken, 0);
  trigger.fire(State::fired);
  trigger.fire(State::fired);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(trigger.poll({}), State::fired);
  EXPECT_EQ(trigger.poll({}), State::waiting);
}

TEST(PressureTrigger, IsGoneForGood) {
  PressureTrigger trigger{UniqueFd{}};
  trigger.fire(State::gone);
  trigger.fire(State::fired);
  EXPECT_EQ(trigger.poll({}), State::gone);
  EXPECT_EQ(trigger.poll({}), State::gone);
}

TEST(PressureTriggers, TakeWhatTheKernelTakesOfOrdinaryUsers) {
  const auto triggers = PressureTriggers::start();
  ASSERT_THAT(triggers, test::Succeeds());
  for (const auto* const text : {"", "some", "some 1", "some 1 2 3", "none 1 2000000", "some x 2000000",
                                 "some 100000 500000", "some 100000 0", "some -1 2000000"})
    EXPECT_THAT((*triggers)->arm("", text), FailsWith(EINVAL)) << text;
  using namespace std::string_view_literals;
  for (const auto text : {"some 150000 2000000"sv, "full 150000 10000000\n"sv, "some 150000 2000000\0"sv})
    EXPECT_THAT((*triggers)->arm("", text), FailsWith(EOPNOTSUPP)) << text;
  EXPECT_THAT((*triggers)->arm("/nowhere/cpu.pressure", "some 150000 2000000"), FailsWith(EOPNOTSUPP));
}

// The machine's own file, which waits as a cgroup's does.
TEST(PressureTriggers, OnePathHasOnlySoMany) {
  const std::string path = "/proc/pressure/cpu";
  const auto triggers = *PressureTriggers::start();
  std::vector<std::shared_ptr<PressureTrigger>> held;
  for (std::size_t i = 0; i < PressureTriggers::kMostAtPath; ++i) {
    auto trigger = triggers->arm(path, "some 2000000 2000000");
    if (!trigger && i == 0) return;  // a machine without, or a user who may not
    ASSERT_THAT(trigger, test::Succeeds());
    held.push_back(std::move(*trigger));
  }
  EXPECT_THAT(triggers->arm(path, "some 2000000 2000000"), FailsWith(ENOSPC));
  EXPECT_THAT(triggers->arm("/proc/pressure/io", "some 2000000 2000000"), test::Succeeds());
  held.pop_back();
  EXPECT_THAT(triggers->arm(path, "some 2000000 2000000"), test::Succeeds());
}

}  // namespace
}  // namespace nacre::procfs
