// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/subtree.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class SubtreeTest : public ::testing::Test {
 protected:
  void make(const std::string& cgroup) { std::filesystem::create_directories(top / cgroup); }
  // What is visited, below the top; the walk goes on with `outcome` of each.
  template <typename Outcome>
  Result<> walk(Outcome outcome) {
    return visit_subtree(top.path(), [&](const std::string& cgroup) -> Result<> {
      visited.push_back(cgroup.substr(top.path().size()));
      return outcome(visited.back());
    });
  }
  test::TempDir top;
  std::vector<std::string> visited;
};

TEST_F(SubtreeTest, HasTheCgroupItselfFirstAndAllBelow) {
  make("a/b");
  make("c");
  EXPECT_THAT(walk([](const auto&) -> Result<> { return {}; }), Succeeds());
  EXPECT_THAT(visited, UnorderedElementsAre("", "/a", "/a/b", "/c"));
  EXPECT_EQ(visited.front(), "");
}

TEST_F(SubtreeTest, DoesNotFailForOneBelowThatGoesAway) {
  make("a");
  make("b/c");
  EXPECT_THAT(walk([&](const std::string& cgroup) -> Result<> {
                if (cgroup == "/b") std::filesystem::remove_all(top / "b");
                return cgroup == "/a" ? fail(ENODEV) : Result<>{};
              }),
              Succeeds());
  EXPECT_THAT(visited, UnorderedElementsAre("", "/a", "/b"));
}

TEST_F(SubtreeTest, EndsWithAnyOtherErrorAndWithThatOfTheCgroupItself) {
  make("a");
  EXPECT_THAT(
      walk([](const std::string& cgroup) -> Result<> { return cgroup.empty() ? Result<>{} : fail(EIO); }),
      FailsWith(EIO));
  visited.clear();
  EXPECT_THAT(walk([](const auto&) -> Result<> { return fail(ENODEV); }), FailsWith(ENODEV));
  EXPECT_THAT(visited, ElementsAre(""));
}

TEST_F(SubtreeTest, IsBoundedHoweverDeepTheyAreNested) {
  std::string deep = "a";
  for (int level = 0; level < 100; ++level) deep += "/a";
  make(deep);
  EXPECT_THAT(walk([](const auto&) -> Result<> { return {}; }), Succeeds());
  EXPECT_THAT(visited, SizeIs(17));
}

}  // namespace
}  // namespace nacre::procfs
