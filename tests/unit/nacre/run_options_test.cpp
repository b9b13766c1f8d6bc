// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/run_options.h"

#include <gmock/gmock.h>

#include <cstdint>

#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::tool {
namespace {

using test::FailsSaying;
using test::Yields;
using ::testing::AllOf;
using ::testing::Field;
using ::testing::Optional;

TEST(Memory, NeedsRoomForAProgram) {
  EXPECT_THAT(parse_memory("256m"), Yields(256u << 20));
  EXPECT_THAT(parse_memory("1"), FailsSaying("--memory 1: too small"));
  EXPECT_THAT(parse_memory("abc"), FailsSaying("--memory: \"abc\" is not a size"));
  EXPECT_THAT(parse_memory("16777216t"), FailsSaying("--memory"));
}

TEST(MemorySwap, MayBeUnlimited) {
  EXPECT_THAT(parse_memory_swap("-1"), Yields(-1));
  EXPECT_THAT(parse_memory_swap("1g"), Yields(std::int64_t{1} << 30));
  EXPECT_THAT(parse_memory_swap("-2"), FailsSaying("--memory-swap"));
}

TEST(Cpus, AreCountedInBillionths) {
  EXPECT_THAT(parse_cpus("1.5"), Yields(1'500'000'000u));
  EXPECT_THAT(parse_cpus("0"), FailsSaying("too small"));
  EXPECT_THAT(parse_cpus("1e9"), FailsSaying("is not a number"));
}

TEST(Cpuset, MustExist) {
  EXPECT_THAT(parse_cpuset("0"), Yields("0"));
  EXPECT_THAT(parse_cpuset("60000"), FailsSaying("does not exist"));
  EXPECT_THAT(parse_cpuset("x"), FailsSaying("--cpuset-cpus"));
}

TEST(PidsLimit, IsAtLeastOne) {
  EXPECT_THAT(parse_pids_limit("64"), Yields(64));
  EXPECT_THAT(parse_pids_limit("-1"), Yields(-1));
  EXPECT_THAT(parse_pids_limit("0"), FailsSaying("--pids-limit"));
}

TEST(Environment, TakesTheCallersValue) {
  ::setenv("NACRE_TEST_VARIABLE", "x y", 1);
  EXPECT_THAT(parse_environment("A=b=c"), Yields(Optional(std::string("A=b=c"))));
  EXPECT_THAT(parse_environment("NACRE_TEST_VARIABLE"),
              Yields(Optional(std::string("NACRE_TEST_VARIABLE=x y"))));
  EXPECT_THAT(parse_environment("NACRE_TEST_UNSET"), Yields(std::optional<std::string>{}));
  EXPECT_THAT(parse_environment("=x"), FailsSaying("has no name"));
}

TEST(Volume, NamesBothSides) {
  const test::TempDir folder;
  EXPECT_THAT(parse_volume(folder.path() + ":/data:ro"),
              Yields(AllOf(Field(&Volume::source, folder.path()), Field(&Volume::destination, "/data"),
                           Field(&Volume::read_only, true))));
  EXPECT_THAT(parse_volume(folder.path() + ":data"), FailsSaying("is not SOURCE:/DESTINATION"));
  EXPECT_THAT(parse_volume(folder.path() + ":/data:rx"), FailsSaying("is not SOURCE:/DESTINATION"));
  EXPECT_THAT(parse_volume(folder / "missing:/data"), test::FailsWith(ENOENT));
}

TEST(Name, IsAFileNameThatCannotEscape) {
  EXPECT_THAT(parse_name("web-1.a_b"), Yields("web-1.a_b"));
  for (const char* text : {"", ".", "..", "-x", "a/b", "a b", ".hidden"})
    EXPECT_THAT(parse_name(text), FailsSaying("is not a name")) << text;
}

TEST(Check, SeesWhatOnlyShowsTogether) {
  RunOptions options;
  EXPECT_THAT(check(options), test::Succeeds());
  options.memory_and_swap = 1;
  EXPECT_THAT(check(options), FailsSaying("needs --memory"));
  options.memory = 2;
  EXPECT_THAT(check(options), FailsSaying("at least --memory"));
  options.memory_and_swap = -1;
  EXPECT_THAT(check(options), test::Succeeds());
  options.workdir = "relative";
  EXPECT_THAT(check(options), FailsSaying("absolute"));
}

}  // namespace
}  // namespace nacre::tool
