// SPDX-License-Identifier: Apache-2.0
#include "fs/model/dir_cache.h"

#include <gtest/gtest.h>

#include "fs/model/inode_numbers.h"

namespace nacre::fs {
namespace {

DirRef some_dir() { return std::make_shared<LayerDir>(); }

TEST(DirCacheTest, KeepsTheMostRecentlyUsed) {
  DirCache cache(2);
  const auto one = some_dir();
  cache.put({1}, 0, one);
  cache.put({2}, 0, some_dir());
  EXPECT_EQ(cache.get({1}, 0), one);
  cache.put({3}, 0, some_dir());
  EXPECT_EQ(cache.get({2}, 0), nullptr);
  EXPECT_EQ(cache.get({1}, 0), one);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(DirCacheTest, LayersAreApart) {
  DirCache cache(4);
  cache.put({1}, 0, some_dir());
  EXPECT_EQ(cache.get({1}, 1), nullptr);
  cache.drop({1}, 0);
  EXPECT_EQ(cache.get({1}, 0), nullptr);
}

TEST(InodeNumbersTest, DevicesDoNotCollideAndTheFirstIsShownAsItIs) {
  InodeNumbers numbers;
  EXPECT_EQ(numbers.shown(10, 5), 5u);
  EXPECT_NE(numbers.shown(11, 5), 5u);
  EXPECT_EQ(numbers.shown(11, 5), numbers.shown(11, 5));
}

TEST(InodeNumbersTest, ACopyKeepsItsNumberUntilItIsGone) {
  InodeNumbers numbers;
  numbers.copied_up(100, 7);
  EXPECT_EQ(numbers.copied(100), 7u);
  numbers.removed(100);
  EXPECT_EQ(numbers.copied(100), std::nullopt);
}

}  // namespace
}  // namespace nacre::fs
