// SPDX-License-Identifier: Apache-2.0
#include "procfs/visitors.h"

#include <gmock/gmock.h>

#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(VisitorsTest, WhoWasAskedForLongestAgoGoes) {
  FakeMachine machine(cgroup::Mode::unified);
  machine.cgroups.create("/box");
  const auto container = [&](const std::string& id) { return *machine.add(id, "/box"); };
  const auto a = container("a"), b = container("b"), c = container("c");
  Visitors visitors(2);
  EXPECT_EQ(visitors.find("a"), nullptr);
  EXPECT_EQ(visitors.add("a", a), nullptr);
  EXPECT_EQ(visitors.add("b", b), nullptr);
  EXPECT_EQ(visitors.find("a"), a);
  EXPECT_EQ(visitors.add("c", c), b);
  EXPECT_EQ(visitors.find("b"), nullptr);
  EXPECT_THAT(visitors.all(), ElementsAre(Pair("c", c), Pair("a", a)));
  visitors.remove("c");
  visitors.remove("nobody");
  EXPECT_EQ(visitors.find("c"), nullptr);
  EXPECT_THAT(visitors.all(), ElementsAre(Pair("a", a)));
}

TEST(VisitorsTest, ASweepIsDueAgainHoweverManyAreLeft) {
  FakeMachine machine(cgroup::Mode::unified);
  machine.cgroups.create("/box");
  const auto container = *machine.add("box", "/box");
  Visitors visitors(2 * Visitors::kSomeAdded);
  std::size_t key = 0;
  const auto add = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_FALSE(visitors.needs_sweep());
      visitors.add(std::to_string(key++), container);
    }
  };
  add(Visitors::kSomeAdded);
  EXPECT_TRUE(visitors.needs_sweep());
  visitors.swept();
  add(Visitors::kSomeAdded);
  EXPECT_TRUE(visitors.needs_sweep());
  visitors.swept();
  add(2 * Visitors::kSomeAdded);  // in the places of the others
  EXPECT_TRUE(visitors.needs_sweep());
}

}  // namespace
}  // namespace nacre::procfs
