// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RenameTest : public OverlayTest {};

TEST_F(RenameTest, ALowerFileIsCopiedUpAndItsOldNameHidden) {
  lower({{"etc/passwd", "root"}});
  start();
  EXPECT_THAT(rename("etc/passwd", "etc/passwd.bak"), Succeeds());
  EXPECT_THAT(read("etc/passwd"), FailsWith(ENOENT));
  EXPECT_THAT(read("etc/passwd.bak"), Yields("root"));
  EXPECT_THAT(upper_names(), ElementsAre("etc/", "etc/passwd (whiteout)", "etc/passwd.bak"));
}

TEST_F(RenameTest, AnUpperFileLeavesNothing) {
  start();
  ASSERT_THAT(create("one", "data"), Succeeds());
  const auto id = *inode("one");
  EXPECT_THAT(rename("one", "two"), Succeeds());
  EXPECT_EQ(*inode("two"), id);
  EXPECT_THAT(upper_names(), ElementsAre("two"));
}

TEST_F(RenameTest, OverALowerFile) {
  lower({{"old", "old"}});
  start();
  ASSERT_THAT(create("new", "new"), Succeeds());
  EXPECT_THAT(rename("new", "old"), Succeeds());
  EXPECT_THAT(read("old"), Yields("new"));
  EXPECT_THAT(list(""), Yields(ElementsAre("old")));
}

TEST_F(RenameTest, OverAnOpenFileWhichLivesOn) {
  start();
  ASSERT_THAT(create("one", "1"), Succeeds());
  ASSERT_THAT(create("two", "2"), Succeeds());
  const auto replaced = *inode("two");
  const auto handle = fs_->open(me_, replaced, O_RDONLY)->handle;
  EXPECT_THAT(rename("one", "two"), Succeeds());
  EXPECT_THAT(read(handle), Yields("2"));
  EXPECT_EQ(fs_->getattr(replaced)->st_nlink, 0u);
  EXPECT_THAT(read("two"), Yields("1"));
  fs_->release(handle);
}

TEST_F(RenameTest, OntoARemovedName) {
  lower({{"gone", "lower"}, {"other", "x"}});
  start();
  EXPECT_THAT(unlink("gone"), Succeeds());
  EXPECT_THAT(rename("other", "gone"), Succeeds());
  EXPECT_THAT(read("gone"), Yields("x"));
  EXPECT_THAT(upper_names(), ElementsAre("gone", "other (whiteout)"));
}

TEST_F(RenameTest, ADirectoryOfALowerLayerCannotMove) {
  lower({{"d/file", ""}});
  start();
  EXPECT_THAT(rename("d", "e"), FailsWith(EXDEV));
  EXPECT_THAT(chmod("d", 0700), Succeeds());
  EXPECT_THAT(rename("d", "e"), FailsWith(EXDEV));
}

TEST_F(RenameTest, ANewDirectoryMovesWithWhatIsInIt) {
  start();
  ASSERT_THAT(mkdir("d"), Succeeds());
  ASSERT_THAT(create("d/file", "data"), Succeeds());
  const auto id = *inode("d/file");
  EXPECT_THAT(rename("d", "e"), Succeeds());
  EXPECT_THAT(read("e/file"), Yields("data"));
  EXPECT_EQ(*inode("e/file"), id);
  EXPECT_THAT(unlink("e/file"), Succeeds());
  EXPECT_THAT(upper_names(), ElementsAre("e/"));
}

TEST_F(RenameTest, ADirectoryThatTakesTheNameOfALowerOneHidesIt) {
  lower({{"d/inside", "lower"}});
  start();
  ASSERT_THAT(unlink("d/inside"), Succeeds());
  ASSERT_THAT(rmdir("d"), Succeeds());
  ASSERT_THAT(mkdir("new"), Succeeds());
  EXPECT_THAT(rename("new", "d"), Succeeds());
  EXPECT_THAT(list("d"), Yields(IsEmpty()));
  EXPECT_THAT(upper_names(), ElementsAre("d/ (opaque)"));
}

TEST_F(RenameTest, ADirectoryOverOneThatHoldsOnlyWhiteouts) {
  lower({{"d/inside", "lower"}});
  start();
  ASSERT_THAT(unlink("d/inside"), Succeeds());
  ASSERT_THAT(mkdir("new"), Succeeds());
  ASSERT_THAT(create("new/file", "x"), Succeeds());
  EXPECT_THAT(rename("new", "d"), Succeeds());
  EXPECT_THAT(list("d"), Yields(ElementsAre("file")));
  EXPECT_THAT(upper_names(), ElementsAre("d/ (opaque)", "d/file"));
  EXPECT_THAT(work_names(), IsEmpty());
}

TEST_F(RenameTest, ADirectoryOverOneThatIsNotEmpty) {
  lower({{"d/inside", "lower"}});
  start();
  ASSERT_THAT(mkdir("new"), Succeeds());
  EXPECT_THAT(rename("new", "d"), FailsWith(ENOTEMPTY));
}

TEST_F(RenameTest, NoReplaceSeesWhatIsShown) {
  lower({{"one", "1"}, {"two", "2"}, {"gone", ""}});
  start();
  EXPECT_THAT(rename("one", "two", RENAME_NOREPLACE), FailsWith(EEXIST));
  ASSERT_THAT(unlink("gone"), Succeeds());
  EXPECT_THAT(rename("one", "gone", RENAME_NOREPLACE), Succeeds());
  EXPECT_THAT(read("gone"), Yields("1"));
}

TEST_F(RenameTest, ExchangeOfAFileAndADirectory) {
  lower({{"file", "data"}});
  start();
  ASSERT_THAT(mkdir("d"), Succeeds());
  ASSERT_THAT(create("d/inside", "x"), Succeeds());
  EXPECT_THAT(rename("file", "d", RENAME_EXCHANGE), Succeeds());
  EXPECT_THAT(read("d"), Yields("data"));
  EXPECT_THAT(read("file/inside"), Yields("x"));
}

TEST_F(RenameTest, OtherFlagsAreRefused) {
  start();
  ASSERT_THAT(create("one"), Succeeds());
  EXPECT_THAT(rename("one", "two", RENAME_WHITEOUT), FailsWith(EINVAL));
}

TEST_F(RenameTest, AFailureChangesNothing) {
  lower({{"one", "1"}, {"two", "2"}});
  start();
  ASSERT_THAT(chmod("one", 0600), Succeeds());
  upper_layer().fail_call(1, EIO);
  EXPECT_THAT(rename("one", "two"), FailsWith(EIO));
  EXPECT_THAT(read("one"), Yields("1"));
  EXPECT_THAT(read("two"), Yields("2"));
}

}  // namespace
}  // namespace nacre::fs
