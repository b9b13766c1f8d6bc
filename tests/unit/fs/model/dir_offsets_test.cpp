// SPDX-License-Identifier: Apache-2.0
#include "fs/model/dir_offsets.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace nacre::fs {
namespace {

std::vector<MergedEntry> listing(int first, int last) {
  std::vector<MergedEntry> entries{{.name = "."}, {.name = ".."}};
  for (int i = first; i < last; ++i) entries.push_back({.name = "name" + std::to_string(i)});
  assign_offsets(entries);
  return entries;
}

TEST(DirOffsetsTest, TheDotsAreFirstAndAllFollowInOrder) {
  const auto entries = listing(0, 1000);
  EXPECT_EQ(entries[0].name, ".");
  EXPECT_EQ(entries[0].offset, 1u);
  EXPECT_EQ(entries[1].name, "..");
  EXPECT_EQ(entries[1].offset, 2u);
  for (std::size_t i = 1; i < entries.size(); ++i) EXPECT_GT(entries[i].offset, entries[i - 1].offset);
}

TEST(DirOffsetsTest, TheyFitIntoTheNumbersOfOldPrograms) {
  for (const auto& entry : listing(0, 100000)) ASSERT_LT(entry.offset, std::uint64_t{1} << 31);
}

TEST(DirOffsetsTest, ANameKeepsItsOffsetWhenOthersComeAndGo) {
  std::map<std::string, std::uint64_t> before;
  for (const auto& entry : listing(0, 2000)) before[entry.name] = entry.offset;
  for (const auto& entry : listing(1000, 2000)) EXPECT_EQ(entry.offset, before[entry.name]) << entry.name;
}

}  // namespace
}  // namespace nacre::fs
