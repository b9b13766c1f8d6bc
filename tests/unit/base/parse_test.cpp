// SPDX-License-Identifier: Apache-2.0
#include "base/parse.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"

namespace nacre {
namespace {

using test::FailsSaying;
using test::Yields;
using ::testing::ElementsAre;

TEST(ParseSize, ReadsWhatPeopleType) {
  EXPECT_THAT(parse_size("4096"), Yields(4096u));
  EXPECT_THAT(parse_size("256m"), Yields(256u << 20));
  EXPECT_THAT(parse_size("2G"), Yields(2ull << 30));
  EXPECT_THAT(parse_size("1kb"), Yields(1024u));
  EXPECT_THAT(parse_size("1KiB"), Yields(1024u));
  EXPECT_THAT(parse_size("7b"), Yields(7u));
}

TEST(ParseSize, RefusesTheRest) {
  for (const char* text :
       {"", "m", "-1", "+1", " 1", "1x", "1mm", "1.5g", "99999999999999999999", "18014398509481984t"})
    EXPECT_THAT(parse_size(text), FailsSaying("is not a size")) << text;
}

TEST(ParseNano, IsExact) {
  EXPECT_THAT(parse_nano("1.5"), Yields(1'500'000'000u));
  EXPECT_THAT(parse_nano("2"), Yields(2'000'000'000u));
  EXPECT_THAT(parse_nano(".25"), Yields(250'000'000u));
  EXPECT_THAT(parse_nano("0.000000001"), Yields(1u));
  for (const char* text : {"", ".", "1.", "-1", "1e3", "1.0000000001", "nan"})
    EXPECT_THAT(parse_nano(text), FailsSaying("is not a number")) << text;
}

TEST(ParseList, MatchesTheKernelsFormat) {
  EXPECT_THAT(parse_list("0-3,8\n"), Yields(ElementsAre(0u, 1u, 2u, 3u, 8u)));
  EXPECT_THAT(parse_list("5,1,1-2"), Yields(ElementsAre(1u, 2u, 5u)));
  EXPECT_THAT(parse_list(""), Yields(ElementsAre()));
  for (const char* text : {"3-1", "a", "1,", "0-999999", "1--2"})
    EXPECT_THAT(parse_list(text), FailsSaying("is not a list")) << text;
  EXPECT_EQ(format_list({0, 1, 2, 3, 8}), "0-3,8");
  EXPECT_EQ(format_list({}), "");
}

TEST(Split, KeepsEmptyPartsAndBlankSplitDropsThem) {
  EXPECT_THAT(split("a::b", ':'), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ':'), ElementsAre());
  EXPECT_THAT(split_blank("  a \t b\n"), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace nacre
