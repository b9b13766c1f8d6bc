// SPDX-License-Identifier: Apache-2.0
#include "fs/model/id_map.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Yields;

TEST(IdMap, WithoutRangesIdsAreShownAsTheyAre) {
  EXPECT_TRUE(IdMap{}.identity());
  EXPECT_EQ(IdMap{}.shown(4711), 4711u);
  EXPECT_THAT(IdMap{}.on_disk(4711), Yields(4711u));
}

TEST(IdMap, TranslatesBothWays) {
  const auto map = *IdMap::parse("0:1000:1:1:110000:65536", 65534);
  EXPECT_EQ(map.shown(0), 1000u);
  EXPECT_EQ(map.shown(1), 110000u);
  EXPECT_EQ(map.shown(65536), 175535u);
  EXPECT_THAT(map.on_disk(1000), Yields(0u));
  EXPECT_THAT(map.on_disk(110999), Yields(1000u));
}

TEST(IdMap, WhatIsInNoRange) {
  const auto map = *IdMap::parse("0:1000:1", 65534);
  EXPECT_EQ(map.shown(5), 65534u);
  EXPECT_THAT(map.on_disk(5), FailsWith(EOVERFLOW));
}

TEST(IdMap, SkipsEmptyFields) {
  const auto map = IdMap::parse(":0:1000:1:", 65534);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->shown(0), 1000u);
}

TEST(IdMap, RefusesWhatMakesNoSense) {
  for (const auto* text : {"", ":", "1:2", "1:2:3:4", "0:0:0", "a:0:1", "-1:0:1", "4294967295:0:2"})
    EXPECT_THAT(IdMap::parse(text, 65534), FailsWith(EINVAL)) << text;
}

TEST(IdMap, Squashes) {
  const auto map = IdMap::squash(7);
  EXPECT_EQ(map.shown(1000), 7u);
  EXPECT_THAT(map.on_disk(1000), Yields(7u));
}

}  // namespace
}  // namespace nacre::fs
