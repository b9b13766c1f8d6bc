// SPDX-License-Identifier: Apache-2.0
#include "fs/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace nacre::fs {
namespace {

using test::FailsSaying;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<Options> parse(std::initializer_list<std::string_view> arguments) {
  const std::vector<std::string_view> list(arguments);
  return parse_options(list);
}

TEST(OptionsTest, AsContainersStorageCallsIt) {
  const auto options =
      parse({"-o", "lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w,volatile,context=\"a:b:c1,c2\"", "/merged"});
  ASSERT_THAT(options, Succeeds());
  EXPECT_THAT(options->lowers, ElementsAre("/l/A", "/l/B"));
  EXPECT_EQ(options->upper, "/u");
  EXPECT_EQ(options->work, "/w");
  EXPECT_EQ(options->mountpoint, "/merged");
  EXPECT_FALSE(options->sync);
  EXPECT_FALSE(options->foreground);
  EXPECT_THAT(options->ignored, IsEmpty());
}

TEST(OptionsTest, AsMountHelpersCallIt) {
  const auto options = parse({"overlay", "/mnt", "-o", "rw,lowerdir=/l,nosuid"});
  ASSERT_THAT(options, Succeeds());
  EXPECT_EQ(options->mountpoint, "/mnt");
  EXPECT_THAT(options->mount_options, ElementsAre("rw", "nosuid"));
}

TEST(OptionsTest, EscapedCharacters) {
  const auto options = parse({"-olowerdir=/a\\:b:/c\\,d:/e\\\\f,upperdir=/u\\:x,workdir=/w", "/m"});
  ASSERT_THAT(options, Succeeds());
  EXPECT_THAT(options->lowers, ElementsAre("/a:b", "/c,d", "/e\\f"));
  EXPECT_EQ(options->upper, "/u:x");
}

TEST(OptionsTest, UnknownOnesAreCollected) {
  const auto options = parse({"-o", "lowerdir=/l,frobnicate=3,private", "--shiny", "/m"});
  ASSERT_THAT(options, Succeeds());
  EXPECT_THAT(options->ignored, ElementsAre("frobnicate=3", "--shiny"));
}

TEST(OptionsTest, Mistakes) {
  EXPECT_THAT(parse({}), FailsSaying("no mount point"));
  EXPECT_THAT(parse({"/m"}), FailsSaying("no layers"));
  EXPECT_THAT(parse({"-o"}), FailsSaying("-o: give"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l:", "/m"}), FailsSaying("no part empty"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l,upperdir=/u", "/m"}), FailsSaying("needs workdir"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l,timeout=soon", "/m"}),
              FailsSaying("option timeout=soon: give seconds"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l,threads=0", "/m"}), FailsSaying("a number from 1 to 256"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l,fsync=2", "/m"}), FailsSaying("give 0 or 1"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l,verity=on", "/m"}), FailsSaying("not supported"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l::/d:/e", "/m"}), FailsSaying("no part empty"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l,redirect_dir=nofollow", "/m"}), FailsSaying("always followed"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l::", "/m"}), FailsSaying("no part empty"));
  EXPECT_THAT(parse({"-o", "lowerdir=/l", "a", "b", "c"}), FailsSaying("too many arguments: c"));
}

TEST(OptionsTest, OffIsAccepted) {
  EXPECT_THAT(parse({"-o", "lowerdir=/l,redirect_dir=off,index=off,metacopy=off,xino=off", "/m"}),
              Succeeds());
}

TEST(OptionsTest, HelpAndVersionNeedNothingElse) {
  EXPECT_TRUE(parse({"--help"})->help);
  EXPECT_TRUE(parse({"-V"})->version);
}

TEST(OptionsTest, TheHelpShowsTheTable) {
  const auto text = help_text();
  for (const char* name : {"lowerdir=", "upperdir=", "workdir=", "volatile", "timeout=SECONDS", "--version"})
    EXPECT_THAT(text, HasSubstr(name));
}

}  // namespace
}  // namespace nacre::fs
