// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/lookup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/sys/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::runtime::process {
namespace {

using test::FailsSaying;
using test::Succeeds;
using test::Yields;

class FindExecutable : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"first", "second"}) ASSERT_THAT(sys::make_directories(dir_ / name), Succeeds());
    ASSERT_THAT(sys::create_file(dir_ / "second/tool", "", 0755), Succeeds());
    ASSERT_THAT(sys::create_file(dir_ / "second/text", "", 0644), Succeeds());
    environment_ = {"PATH=" + (dir_ / "first") + ":" + (dir_ / "second")};
  }
  const test::TempDir dir_;
  std::vector<std::string> environment_;
};

TEST_F(FindExecutable, SearchesThePath) {
  EXPECT_THAT(find_executable("tool", environment_), Yields(dir_ / "second/tool"));
  EXPECT_THAT(find_executable("nonsense", environment_),
              FailsSaying("exec: \"nonsense\": executable file not found in $PATH"));
  EXPECT_THAT(find_executable("tool", {}), FailsSaying("executable file not found in $PATH"));
}

TEST_F(FindExecutable, WhatIsThereAndCannotRunIsPermission) {
  EXPECT_THAT(find_executable("text", environment_), FailsSaying("exec: \"text\": permission denied"));
  EXPECT_THAT(find_executable(dir_ / "second/text", environment_), FailsSaying("permission denied"));
}

TEST_F(FindExecutable, ASlashMeansNoSearch) {
  EXPECT_THAT(find_executable(dir_ / "second/tool", {}), Yields(dir_ / "second/tool"));
  EXPECT_THAT(find_executable(dir_ / "none", environment_), FailsSaying("no such file or directory"));
  EXPECT_THAT(find_executable(dir_.path(), environment_), FailsSaying("is a directory"));
}

TEST(Variable, TheLastOneWinsAndNamesAreWhole) {
  EXPECT_EQ(variable({"A=1", "AB=2", "A=3"}, "A"), "3");
  EXPECT_EQ(variable({"AB=2"}, "A"), "");
  EXPECT_EQ(variable({"A"}, "A"), "");
  EXPECT_EQ(variable({"A=x=y"}, "A"), "x=y");
}

TEST(HomeOf, ReadsTheLineOfTheUser) {
  constexpr std::string_view kPasswd =
      "root:x:0:0:root:/root:/bin/sh\nbroken\nuser:x:1000:1000::/home/user:/bin/sh\nodd:x:7:7::relative:/bin/"
      "sh\n";
  EXPECT_EQ(home_of(kPasswd, 0), "/root");
  EXPECT_EQ(home_of(kPasswd, 1000), "/home/user");
  EXPECT_EQ(home_of(kPasswd, 1), "/");
  EXPECT_EQ(home_of(kPasswd, 7), "/");
  EXPECT_EQ(home_of("", 0), "/");
}

}  // namespace
}  // namespace nacre::runtime::process
