// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UnlinkTest : public OverlayTest {};

TEST_F(UnlinkTest, ALowerFileBecomesAWhiteout) {
  lower({{"d/file", "data"}});
  start();
  EXPECT_THAT(unlink("d/file"), Succeeds());
  EXPECT_THAT(read("d/file"), FailsWith(ENOENT));
  EXPECT_THAT(list("d"), Yields(IsEmpty()));
  EXPECT_THAT(upper_names(), ElementsAre("d/", "d/file (whiteout)"));
}

TEST_F(UnlinkTest, AnUpperFileIsJustGone) {
  upper({{"file", "data"}});
  start();
  EXPECT_THAT(unlink("file"), Succeeds());
  EXPECT_THAT(upper_names(), IsEmpty());
}

TEST_F(UnlinkTest, ACopiedUpFileIsReplacedByAWhiteout) {
  lower({{"file", "data"}});
  start();
  EXPECT_THAT(write("file", "x"), Succeeds());
  EXPECT_THAT(unlink("file"), Succeeds());
  EXPECT_THAT(upper_names(), ElementsAre("file (whiteout)"));
  EXPECT_THAT(work_names(), IsEmpty());
}

TEST_F(UnlinkTest, AnOpaqueDirectoryGetsNoWhiteout) {
  lower({{"d/file", "lower"}});
  upper({{"d/file", "upper"}}).opaque("d");
  start();
  EXPECT_THAT(unlink("d/file"), Succeeds());
  EXPECT_THAT(upper_names(), ElementsAre("d/ (opaque)"));
}

TEST_F(UnlinkTest, AnOpenFileLivesOnWithoutAName) {
  start();
  ASSERT_THAT(create("file", "data"), Succeeds());
  const auto id = *inode("file");
  const auto handle = fs_->open(me_, id, O_RDWR)->handle;
  EXPECT_THAT(unlink("file"), Succeeds());
  EXPECT_THAT(fs_->write(me_, handle, std::string_view("DA"), 0), Yields(2u));
  EXPECT_THAT(read(handle), Yields("DAta"));
  EXPECT_EQ(fs_->getattr(id)->st_nlink, 0u);
  fs_->release(handle);
  // The kernel may still know the inode: it can be opened again by that.
  EXPECT_THAT(fs_->open(me_, id, O_RDONLY), Succeeds());
}

TEST_F(UnlinkTest, TheOtherNameOfAFileStaysAndKnowsIt) {
  start();
  ASSERT_THAT(create("one", "data"), Succeeds());
  const auto both = link("one", "two");
  ASSERT_THAT(both, Succeeds());
  EXPECT_EQ(both->inode, *inode("one"));
  EXPECT_EQ(both->attr.st_nlink, 2u);
  EXPECT_THAT(unlink("one"), Succeeds());
  EXPECT_EQ(stat("two")->st_nlink, 1u);
  EXPECT_THAT(read("two"), Yields("data"));
}

TEST_F(UnlinkTest, ANameNotSeenYetKeepsTheFileAlive) {
  upper({{"one", "data"}});
  ASSERT_EQ(::link((upper().root() + "/one").c_str(), (upper().root() + "/two").c_str()), 0);
  start();
  const auto id = *inode("one");
  EXPECT_THAT(unlink("one"), Succeeds());
  EXPECT_EQ(fs_->getattr(id)->st_nlink, 1u);
  EXPECT_EQ(*inode("two"), id);
}

TEST_F(UnlinkTest, RemovingADirectoryNeedsItToBeEmptyAsShown) {
  lower({{"d/one", ""}, {"d/two", ""}});
  start();
  EXPECT_THAT(rmdir("d"), FailsWith(ENOTEMPTY));
  EXPECT_THAT(unlink("d/one"), Succeeds());
  EXPECT_THAT(unlink("d/two"), Succeeds());
  EXPECT_THAT(rmdir("d"), Succeeds());
  EXPECT_THAT(upper_names(), ElementsAre("d (whiteout)"));
  EXPECT_THAT(work_names(), IsEmpty());
}

TEST_F(UnlinkTest, ADirectoryMadeAgainIsEmpty) {
  lower({{"d/inside", "data"}});
  start();
  EXPECT_THAT(unlink("d/inside"), Succeeds());
  EXPECT_THAT(rmdir("d"), Succeeds());
  EXPECT_THAT(mkdir("d"), Succeeds());
  EXPECT_THAT(list("d"), Yields(IsEmpty()));
  EXPECT_THAT(upper_names(), ElementsAre("d/ (opaque)"));
}

TEST_F(UnlinkTest, ARemovedDirectoryStillAnswersForItself) {
  lower({{"d/", ""}});
  start();
  const auto id = *inode("d");
  EXPECT_THAT(rmdir("d"), Succeeds());
  EXPECT_EQ(fs_->getattr(id)->st_nlink, 0u);
}

TEST_F(UnlinkTest, KindsMustMatch) {
  lower({{"file", ""}, {"d/", ""}});
  start();
  EXPECT_THAT(rmdir("file"), FailsWith(ENOTDIR));
  EXPECT_THAT(unlink("d"), FailsWith(EISDIR));
}

TEST_F(UnlinkTest, AFailureChangesNothing) {
  lower({{"d/file", "data"}});
  start();
  ASSERT_THAT(chmod("d", 0700), Succeeds());
  upper_layer().fail_call(1, ENOSPC);
  EXPECT_THAT(unlink("d/file"), FailsWith(ENOSPC));
  EXPECT_THAT(read("d/file"), Yields("data"));
  EXPECT_THAT(upper_names(), ElementsAre("d/"));
}

}  // namespace
}  // namespace nacre::fs
