// SPDX-License-Identifier: Apache-2.0
// What a name means: every dialect of whiteouts and opaque directories.
#include "tests/unit/fs/overlay_fixture.h"

#include <cstdint>

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

class LookupTest : public OverlayTest {};

TEST_F(LookupTest, TheTopmostLayerWins) {
  lower2({{"file", "2"}, {"only2", "2"}});
  lower({{"file", "1"}});
  upper({{"file", "upper"}});
  start();
  EXPECT_THAT(read("file"), Yields("upper"));
  EXPECT_THAT(read("only2"), Yields("2"));
  EXPECT_THAT(inode("nothing"), FailsWith(ENOENT));
}

TEST_F(LookupTest, DirectoriesMerge) {
  lower2({{"d/two", "2"}});
  lower({{"d/one", "1"}});
  upper({{"d/up", "0"}});
  start();
  EXPECT_THAT(list("d"), Yields(ElementsAre("one", "two", "up")));
  EXPECT_EQ(stat("d")->st_nlink, 1u);
}

TEST_F(LookupTest, AFileHidesADirectoryAndTheOtherWayRound) {
  lower2({{"a/x", ""}, {"b", ""}});
  lower({{"a", "file"}, {"b/y", ""}});
  start();
  EXPECT_THAT(read("a"), Yields("file"));
  EXPECT_THAT(list("b"), Yields(ElementsAre("y")));
}

TEST_F(LookupTest, AFileBetweenDirectoriesEndsTheMerge) {
  lower2({{"d/deep", ""}});
  lower({{"d", "file"}});
  upper({{"d/up", ""}});
  start();
  EXPECT_THAT(list("d"), Yields(ElementsAre("up")));
}

TEST_F(LookupTest, WhiteoutsOfLowerLayers) {
  lower2({{"file", ""}, {"d/inside", ""}});
  lower().whiteout("file").whiteout("d");
  upper({{"d/up", ""}});
  start();
  EXPECT_THAT(inode("file"), FailsWith(ENOENT));
  EXPECT_THAT(list("d"), Yields(ElementsAre("up")));
  EXPECT_THAT(list(""), Yields(ElementsAre("d")));
}

TEST_F(LookupTest, OpaqueDirectories) {
  lower2({{"d/two", ""}});
  lower({{"d/one", ""}}).opaque("d");
  upper({{"d/up", ""}});
  start();
  EXPECT_THAT(list("d"), Yields(ElementsAre("one", "up")));
  EXPECT_THAT(inode("d/two"), FailsWith(ENOENT));
}

TEST_F(LookupTest, MarkersOfImageArchives) {
  lower2({{"gone", ""}, {"d/two", ""}, {"stays", ""}});
  lower({{".wh.gone", ""}, {"d/.wh..wh..opq", ""}, {"d/one", ""}});
  start();
  EXPECT_THAT(inode("gone"), FailsWith(ENOENT));
  EXPECT_THAT(inode(".wh.gone"), FailsWith(ENOENT));
  EXPECT_THAT(inode("d/two"), FailsWith(ENOENT));
  EXPECT_THAT(list("d"), Yields(ElementsAre("one")));
  EXPECT_THAT(list(""), Yields(ElementsAre("d", "stays")));
}

TEST_F(LookupTest, MarkersInTheUpperCountAsWell) {
  lower({{"file", "old"}, {"d/hidden", ""}, {"e/hidden", ""}});
  upper({{".wh.file", ""}, {"d/.wh..wh..opq", ""}}).dir("e").xattr("e", "user.fuseoverlayfs.opaque", "y");
  start();
  EXPECT_THAT(inode("file"), FailsWith(ENOENT));
  EXPECT_THAT(list(""), Yields(ElementsAre("d", "e")));
  EXPECT_THAT(list("d"), Yields(ElementsAre()));
  EXPECT_THAT(list("e"), Yields(ElementsAre()));
  EXPECT_THAT(create(".wh.mine"), FailsWith(EINVAL));
  ASSERT_THAT(create("file", "new"), Succeeds());
  EXPECT_THAT(read("file"), Yields("new"));
  ASSERT_THAT(unlink("file"), Succeeds());
  EXPECT_THAT(inode("file"), FailsWith(ENOENT));
}

TEST_F(LookupTest, WhiteoutsByAttribute) {
  lower2({{"d/gone", "x"}, {"d/stays", "x"}});
  lower({{"d/gone", ""}, {"d/empty", ""}}).opaque("d", "x").xattr("d/gone", "user.overlay.whiteout", "");
  start();
  EXPECT_THAT(inode("d/gone"), FailsWith(ENOENT));
  EXPECT_THAT(list("d"), Yields(ElementsAre("empty", "stays")));
}

TEST_F(LookupTest, InodesAreForgottenAndIdsNotReused) {
  lower({{"d/file", ""}});
  start();
  const auto before = fs_->statistics().inodes;
  const auto first = *entry("d/file");
  const auto dir = *inode("d");
  fs_->forget(first.inode, 1);
  fs_->forget(dir, 2);
  EXPECT_EQ(fs_->statistics().inodes, before);
  EXPECT_THAT(fs_->getattr(first.inode), FailsWith(ESTALE));
  EXPECT_NE(*inode("d/file"), first.inode);
}

TEST_F(LookupTest, AChildKeepsItsParents) {
  lower({{"d/file", "data"}});
  start();
  const auto dir = *inode("d");
  const auto file = *inode("d/file");
  fs_->forget(dir, 2);
  EXPECT_THAT(fs_->getattr(file), Succeeds());
}

TEST_F(LookupTest, NumbersInListingsAreThoseOfTheFiles) {
  lower2({{"d/two", ""}, {"e/", ""}});
  lower({{"d/one", ""}, {"f", ""}});
  upper({{"d/up", ""}}).opaque("e");
  start();
  ASSERT_THAT(write("f", "x"), Succeeds());
  for (const char* path : {"", "d"}) {
    const auto id = *path == '\0' ? kRootInode : *inode(path);
    EXPECT_THAT(fs_->readdir(id, 2,
                             [&](const MergedEntry& entry) {
                               const auto found = fs_->lookup(id, entry.name.c_str());
                               EXPECT_THAT(found, Succeeds());
                               EXPECT_EQ(found->attr.st_ino, entry.ino) << entry.name;
                               return true;
                             }),
                Succeeds());
  }
}

TEST_F(LookupTest, ASnapshotIsReadToItsEndAndRewoundAnew) {
  start();
  for (const char* name : {"a", "b", "c"}) ASSERT_THAT(create(name), Succeeds());
  std::vector<std::string> seen;
  std::uint64_t next = 0;
  const auto one = [&](const MergedEntry& entry) {
    seen.push_back(entry.name);
    next = entry.offset;
    return false;
  };
  for (int i = 0; i < 3; ++i) ASSERT_THAT(fs_->readdir(kRootInode, next, one), Succeeds());
  ASSERT_THAT(unlink(seen[2]), Succeeds());
  for (int i = 0; i < 2; ++i) ASSERT_THAT(fs_->readdir(kRootInode, next, one), Succeeds());
  EXPECT_EQ(seen.size(), 5u);
  seen.clear();
  EXPECT_THAT(fs_->readdir(kRootInode, 0,
                           [&](const MergedEntry& entry) {
                             seen.push_back(entry.name);
                             return true;
                           }),
              Succeeds());
  EXPECT_EQ(seen.size(), 4u);
}

// The kernel goes on in one listing where its memory of another one has ended.
TEST_F(LookupTest, AnotherListingGoesOnAtTheSameNames) {
  start();
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("stays" + std::to_string(i));
  for (const auto& name : names) ASSERT_THAT(create(name), Succeeds());
  std::vector<std::string> seen;
  std::uint64_t offset = 0;
  const auto one = [&](const MergedEntry& entry) {
    if (entry.name.starts_with("stays")) seen.push_back(entry.name);
    offset = entry.offset;
    return false;
  };
  for (std::uint64_t round = 0, before = UINT64_MAX; offset != before; ++round) {
    before = offset;
    fs_->reload();  // no listing is kept
    ASSERT_THAT(fs_->readdir(kRootInode, offset, one), Succeeds());
    ASSERT_THAT(create("new" + std::to_string(round)), Succeeds());
    if (round % 3 == 2) {
      ASSERT_THAT(unlink("new" + std::to_string(round - 1)), Succeeds());
    }
  }
  EXPECT_THAT(seen, UnorderedElementsAreArray(names));
}

}  // namespace
}  // namespace nacre::fs
