// SPDX-License-Identifier: Apache-2.0
#include "fs/model/inode_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "tests/support/result_matchers.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Found lower_file(std::uint64_t ino, LayerIndex layer = 1) {
  Found found;
  found.attr.st_mode = S_IFREG | 0644;
  found.attr.st_ino = found.ino = ino;
  found.layer = layer;
  return found;
}

Found upper_file(std::uint64_t ino) {
  auto found = lower_file(ino, kUpper);
  found.in_upper = true;
  found.identity = ino;
  return found;
}

Found dir(std::vector<LayerIndex> lowers = {1}) {
  Found found;
  found.attr.st_mode = S_IFDIR | 0755;
  found.lowers = std::move(lowers);
  return found;
}

class InodeTableTest : public ::testing::Test {
 protected:
  std::string name_of(InodeId id) { return table_.location(id)->name(); }
  InodeTable table_{dir()};
};

TEST_F(InodeTableTest, TheRootIsOneAndStays) {
  EXPECT_THAT(table_.get(kRootInode), Succeeds());
  table_.forget(kRootInode, 100);
  EXPECT_TRUE(table_.get(kRootInode)->linked);
  EXPECT_THAT(table_.location(kRootInode), FailsWith(ENOENT));
}

TEST_F(InodeTableTest, ANameIsOneInode) {
  const auto one = *table_.remember(kRootInode, "file", lower_file(5));
  EXPECT_EQ(*table_.remember(kRootInode, "file", lower_file(5)), one);
  EXPECT_EQ(table_.find(kRootInode, "file"), one);
  EXPECT_EQ(name_of(one), "file");
  EXPECT_THAT(table_.forget(one, 1), IsEmpty());
  EXPECT_THAT(table_.forget(one, 1), ElementsAre(one));
  EXPECT_EQ(table_.find(kRootInode, "file"), std::nullopt);
}

TEST_F(InodeTableTest, ASlotIsReusedAndAnIdIsNot) {
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 100; ++i) {
    const auto id = *table_.remember(kRootInode, "file", lower_file(5));
    EXPECT_EQ(id.slot(), 2u);
    EXPECT_TRUE(ids.insert(id.value).second);
    table_.forget(id, 1);
    EXPECT_THAT(table_.get(id), FailsWith(ESTALE));
  }
}

TEST_F(InodeTableTest, NamesOfOneUpperFileAreOneInodeAndLowerOnesAreNot) {
  const auto one = *table_.remember(kRootInode, "one", upper_file(9));
  EXPECT_EQ(*table_.remember(kRootInode, "two", upper_file(9)), one);
  EXPECT_NE(*table_.remember(kRootInode, "three", lower_file(9)),
            *table_.remember(kRootInode, "four", lower_file(9)));
}

TEST_F(InodeTableTest, ADirectoryLivesAsLongAsItsChildren) {
  const auto d = *table_.remember(kRootInode, "d", dir());
  const auto e = *table_.remember(d, "e", dir());
  const auto file = *table_.remember(e, "file", lower_file(5));
  EXPECT_THAT(table_.forget(d, 1), IsEmpty());
  EXPECT_THAT(table_.forget(e, 1), IsEmpty());
  EXPECT_THAT(table_.forget(file, 1), ElementsAre(file, e, d));
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(InodeTableTest, ARemovedNameLeavesTheWayToTheLowerData) {
  const auto file = *table_.remember(kRootInode, "file", lower_file(5));
  table_.remove_name(kRootInode, "file");
  EXPECT_EQ(table_.find(kRootInode, "file"), std::nullopt);
  EXPECT_FALSE(table_.get(file)->linked);
  EXPECT_EQ(name_of(file), "file");
  EXPECT_FALSE(table_.location(file)->linked);
}

TEST_F(InodeTableTest, AnotherNameTakesOver) {
  const auto file = *table_.remember(kRootInode, "one", upper_file(9));
  ASSERT_THAT(table_.remember(kRootInode, "two", upper_file(9)), Succeeds());
  table_.remove_name(kRootInode, "one");
  EXPECT_EQ(name_of(file), "two");
  EXPECT_TRUE(table_.get(file)->linked);
}

TEST_F(InodeTableTest, MovingReplaces) {
  const auto d = *table_.remember(kRootInode, "d", dir());
  const auto one = *table_.remember(kRootInode, "one", upper_file(1));
  const auto two = *table_.remember(d, "two", upper_file(2));
  table_.move_name(kRootInode, "one", d, "two");
  EXPECT_EQ(table_.find(d, "two"), one);
  EXPECT_FALSE(table_.get(two)->linked);
  EXPECT_EQ(table_.location(one)->parent, d);
}

TEST_F(InodeTableTest, Exchanging) {
  const auto d = *table_.remember(kRootInode, "d", dir());
  const auto one = *table_.remember(kRootInode, "one", upper_file(1));
  const auto two = *table_.remember(d, "two", upper_file(2));
  table_.exchange_names(kRootInode, "one", d, "two");
  EXPECT_EQ(table_.find(d, "two"), one);
  EXPECT_EQ(table_.find(kRootInode, "one"), two);
}

TEST_F(InodeTableTest, CopyUpGivesAnIdentityInTheUpper) {
  const auto file = *table_.remember(kRootInode, "one", lower_file(5));
  table_.moved_to_upper(file, 77, 5);
  EXPECT_EQ(*table_.remember(kRootInode, "two", upper_file(77)), file);
}

TEST_F(InodeTableTest, NamesOfOneLowerFileStayTogetherOverCopyUp) {
  auto found = lower_file(5);
  found.identity = 1005;
  const auto file = *table_.remember(kRootInode, "one", found);
  ASSERT_EQ(*table_.remember(kRootInode, "two", found), file);
  const auto place = *table_.location(file);
  table_.moved_to_upper(file, 77, 5, &place);
  EXPECT_FALSE(table_.is_aliased(kRootInode, place.name()));
  const std::string other = place.name() == std::string("one") ? "two" : "one";
  EXPECT_TRUE(table_.is_aliased(kRootInode, other));
  table_.name_is_up(kRootInode, other);
  EXPECT_FALSE(table_.is_aliased(kRootInode, other));
}

TEST_F(InodeTableTest, ADetachedInodeIsFoundByNoName) {
  const auto file = *table_.remember(kRootInode, "file", upper_file(9));
  table_.detach(file);
  EXPECT_EQ(table_.find(kRootInode, "file"), std::nullopt);
  EXPECT_NE(*table_.remember(kRootInode, "file", upper_file(9)), file);
  EXPECT_THAT(table_.get(file), Succeeds());
}

TEST_F(InodeTableTest, TrimmingGivesNoIdTwice) {
  std::set<std::uint64_t> ids;
  for (int round = 0; round < 3; ++round) {
    std::vector<InodeId> inodes;
    for (int i = 0; i < 20000; ++i)
      inodes.push_back(*table_.remember(kRootInode, "file" + std::to_string(i), lower_file(5)));
    for (const auto inode : inodes) {
      EXPECT_TRUE(ids.insert(inode.value).second);
      if (inode != inodes[19999]) table_.forget(inode, 1);
    }
    // The last one keeps its name.
    EXPECT_EQ(table_.find(kRootInode, "file19999"), inodes[19999]);
    table_.forget(inodes[19999], 1);
    EXPECT_EQ(table_.size(), 1u);
  }
}

TEST_F(InodeTableTest, PinsHold) {
  const auto file = *table_.remember(kRootInode, "file", lower_file(5));
  table_.pin(file);
  EXPECT_THAT(table_.forget(file, 1), IsEmpty());
  EXPECT_THAT(table_.unpin(file), ElementsAre(file));
}

TEST_F(InodeTableTest, TenThousandNamesOfEveryLength) {
  std::vector<InodeId> ids;
  const auto name = [](int i) {
    return std::string(static_cast<std::size_t>(i % 250), 'x') + std::to_string(i);
  };
  for (int i = 0; i < 10000; ++i)
    ids.push_back(*table_.remember(kRootInode, name(i), upper_file(100 + static_cast<std::uint64_t>(i))));
  for (int i = 0; i < 10000; ++i)
    EXPECT_EQ(table_.find(kRootInode, name(i)), ids[static_cast<std::size_t>(i)]);
  for (int i = 0; i < 10000; i += 2) table_.forget(ids[static_cast<std::size_t>(i)], 1);
  for (int i = 1; i < 10000; i += 2)
    EXPECT_EQ(table_.find(kRootInode, name(i)), ids[static_cast<std::size_t>(i)]);
  for (int i = 1; i < 10000; i += 2) table_.forget(ids[static_cast<std::size_t>(i)], 1);
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(InodeTableTest, NonsenseIsStale) {
  for (const std::uint64_t value : {0ull, 99ull, 1ull << 32 | 1, ~0ull}) {
    EXPECT_THAT(table_.get({value}), FailsWith(ESTALE));
    EXPECT_THAT(table_.remember({value}, "x", lower_file(1)), FailsWith(ESTALE));
    EXPECT_THAT(table_.forget({value}, 1), IsEmpty());
  }
}

TEST_F(InodeTableTest, UnusedOnesAreThoseThatNothingHolds) {
  const auto held = *table_.remember(kRootInode, "open", lower_file(2));
  table_.pin(held);
  const auto parent = *table_.remember(kRootInode, "parent", dir());
  const auto one = *table_.remember(parent, "one", lower_file(3));
  const auto two = *table_.remember(kRootInode, "two", lower_file(4));
  EXPECT_THAT(table_.next_unused(1), ElementsAre(one));
  EXPECT_THAT(table_.next_unused(1), ElementsAre(two));  // goes on where it stopped
  EXPECT_THAT(table_.next_unused(9), ElementsAre(one, two));
  table_.forget(one, 1);
  EXPECT_THAT(table_.next_unused(9), UnorderedElementsAre(parent, two));
  table_.unpin(held);
  EXPECT_THAT(table_.next_unused(9), UnorderedElementsAre(held, parent, two));
}

}  // namespace
}  // namespace nacre::fs
