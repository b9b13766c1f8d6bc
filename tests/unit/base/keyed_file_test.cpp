// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup/keyed_file.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"

namespace nacre::cgroup {
namespace {

using test::FailsSaying;
using test::Yields;
using ::testing::ElementsAre;

TEST(KeyedFile, KeysAreMatchedWhole) {
  constexpr std::string_view kText = "file_dirty 3\nfile 1\nfile_mapped 2\n";
  EXPECT_EQ(value_of(kText, "file"), 1u);
  EXPECT_EQ(value_of(kText, "file_dirty"), 3u);
  EXPECT_EQ(value_of(kText, "fil"), 0u);
}

TEST(KeyedFile, OddLinesArePassedOver) {
  EXPECT_EQ(value_of("\nnothing\nkey \nkey x\nkey -1\nkey 99999999999999999999\nkey 7", "key"), 7u);
}

TEST(Limit, NumbersAndTheManyWordsForNone) {
  EXPECT_THAT(parse_limit("1048576\n"), Yields(1048576u));
  EXPECT_THAT(parse_limit("0\n"), Yields(0u));
  EXPECT_THAT(parse_limit("max\n"), Yields(kUnlimited));
  EXPECT_THAT(parse_limit("-1\n"), Yields(kUnlimited));
  EXPECT_THAT(parse_limit("9223372036854771712\n"), Yields(kUnlimited));  // v1, pages of 4 KiB
  EXPECT_THAT(parse_limit("9223372036854710272\n"), Yields(kUnlimited));  // pages of 64 KiB
  EXPECT_THAT(parse_limit(""), FailsSaying("malformed cgroup limit"));
  EXPECT_THAT(parse_limit("12 34"), FailsSaying("12 34"));
}

TEST(CpuMax, QuotaAndPeriod) {
  EXPECT_THAT(parse_cpu_max("150000 100000\n"), Yields(Quota{150000, 100000}));
  EXPECT_THAT(parse_cpu_max("max 50000\n"), Yields(Quota{kUnlimited, 50000}));
  EXPECT_THAT(parse_cpu_max("100000"), FailsSaying("malformed cpu.max"));
  EXPECT_THAT(parse_cpu_max("1 0"), FailsSaying("malformed cpu.max"));
}

TEST(Io, V2NamesItsFields) {
  EXPECT_THAT(parse_io_stat("254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n7:1 \n"),
              ElementsAre(DeviceIo{254, 0, 1, 2, 5, 3, 4, 6}, DeviceIo{7, 1, 0, 0, 0, 0, 0, 0}));
}

TEST(Io, V1HasALineForEachNumber) {
  EXPECT_THAT(parse_blkio("254:0 Read 10\n254:0 Write 20\n254:0 Sync 99\n254:0 Total 30\nTotal 30\n",
                          "254:0 Read 1\n254:0 Write 2\n254:0 Discard 3\n8:16 Read 4\nTotal 3\n"),
              ElementsAre(DeviceIo{254, 0, 10, 20, 0, 1, 2, 3}, DeviceIo{8, 16, 0, 0, 0, 4, 0, 0}));
}

TEST(Io, BrokenLinesAreNoDevices) {
  EXPECT_THAT(parse_io_stat("x:y rbytes=1\n254 rbytes=1\n:\n\n"), ElementsAre());
  EXPECT_THAT(parse_blkio("254:0 Read\n254:0 Read x\na b c\n", ""), ElementsAre());
}

}  // namespace
}  // namespace nacre::cgroup
