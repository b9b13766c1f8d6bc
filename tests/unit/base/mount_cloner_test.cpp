// SPDX-License-Identifier: Apache-2.0
#include "base/sys/mount_cloner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/sys/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::sys {
namespace {

using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;

// What takes no right to mount; the rest is in tests/integration.
class MountClonerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(root, Succeeds());
    cloner = MountCloner::start(root->get());
    ASSERT_THAT(cloner, Succeeds());
    const auto self = std::to_string(::getpid());
    const auto children = read_file("/proc/" + self + "/task/" + self + "/children");
    ASSERT_THAT(children, Succeeds());
    child = parse_int<pid_t>(trim(*children)).value_or(0);
    ASSERT_GT(child, 0) << *children;
  }
  void TearDown() override {
    cloner = fail(0);
    if (child > 0) {
      EXPECT_EQ(::waitpid(child, nullptr, 0), child);
    }
  }

  test::TempDir directory;
  Result<UniqueFd> root = open_at(AT_FDCWD, directory.path().c_str(), O_RDONLY | O_DIRECTORY);
  Result<MountCloner> cloner = fail(0);
  pid_t child = 0;
};

TEST_F(MountClonerTest, SaysWhatItCannotOpen) {
  EXPECT_THAT(cloner->clone("containers/box", {{"meminfo"}}), FailsWith(ENOENT));
  EXPECT_THAT(cloner->clone("containers/box", {{"meminfo"}}), FailsSaying("containers/box"));
}

TEST_F(MountClonerTest, HoldsNothingOfTheDaemonsButTheRoot) {
  ASSERT_THAT(cloner->clone("missing", {}), FailsWith(ENOENT));  // it is set up by now
  const auto path = "/proc/" + std::to_string(child) + "/fd";
  const auto held = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_THAT(held, Succeeds());
  const auto names = list_directory(held->get());
  ASSERT_THAT(names, Succeeds());
  EXPECT_THAT(*names, ::testing::SizeIs(2));
}

TEST_F(MountClonerTest, ItsEndIsToldFromAnErrorOfTheFileSystem) {
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  EXPECT_THAT(cloner->clone("missing", {}), FailsWith(ECONNRESET));
}

TEST_F(MountClonerTest, EndsWithItsOwner) {
  cloner = fail(0);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  child = 0;
}

}  // namespace
}  // namespace nacre::sys
