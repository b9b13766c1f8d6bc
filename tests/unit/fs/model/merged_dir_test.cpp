// SPDX-License-Identifier: Apache-2.0
#include "fs/model/merged_dir.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nacre::fs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ListedEntry file(std::string name) { return {std::move(name), 1, DT_REG, false}; }
ListedEntry folder(std::string name) { return {std::move(name), 1, DT_DIR, false}; }
ListedEntry whiteout(std::string name) { return {std::move(name), 1, DT_CHR, true}; }

std::vector<std::string> names(const std::vector<Listing>& layers) {
  std::vector<std::string> list;
  for (const auto& merged : merge(layers)) list.push_back(merged.name);
  return list;
}

TEST(MergedDirTest, EachNameOnceAsTheTopmostHasIt) {
  const auto merged = merge({{{file("a")}}, {{folder("a"), file("b")}}});
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[0].type, DT_REG);
  EXPECT_EQ(merged[1].layer, 1u);
}

TEST(MergedDirTest, AWhiteoutHidesWhatIsBelowAndItself) {
  EXPECT_THAT(names({{{whiteout("a")}}, {{file("a"), file("b")}}}), ElementsAre("b"));
  EXPECT_THAT(names({{{file("a")}}, {{whiteout("a")}}}), ElementsAre("a"));
}

TEST(MergedDirTest, AnArchivesMarkerSparesItsOwnLayer) {
  EXPECT_THAT(names({{{file(".wh.a"), file("a")}}, {{file("b")}}}), ElementsAre("a", "b"));
  EXPECT_THAT(names({{{file(".wh.a")}}, {{file("a"), file("b")}}}), ElementsAre("b"));
}

TEST(MergedDirTest, DirectoriesBelowAreNoted) {
  EXPECT_TRUE(merge({{{folder("d")}}, {{folder("d")}}})[0].dir_below);
  EXPECT_FALSE(merge({{{folder("d")}}, {{file("d")}}})[0].dir_below);
}

TEST(MergedDirTest, Nothing) { EXPECT_THAT(merge({}), IsEmpty()); }

}  // namespace
}  // namespace nacre::fs
