// SPDX-License-Identifier: Apache-2.0
#include <sys/xattr.h>

#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CopyUpTest : public OverlayTest {};

TEST_F(CopyUpTest, WritingALowerFileCopiesItAndItsParents) {
  lower({{"etc/conf/passwd", "root"}, {"etc/other", ""}});
  start();
  EXPECT_THAT(write("etc/conf/passwd", "R"), Succeeds());
  EXPECT_THAT(read("etc/conf/passwd"), Yields("Root"));
  EXPECT_THAT(upper_names(), ElementsAre("etc/", "etc/conf/", "etc/conf/passwd"));
  EXPECT_THAT(sys::read_file(lower().root() + "/etc/conf/passwd"), Yields("root"));
}

TEST_F(CopyUpTest, OpeningForReadingCopiesNothing) {
  lower({{"file", "data"}});
  start();
  EXPECT_THAT(read("file"), Yields("data"));
  EXPECT_THAT(upper_names(), IsEmpty());
}

TEST_F(CopyUpTest, AHandleOpenedBeforeReadsWhatIsWrittenAfter) {
  lower({{"file", "old data"}});
  start();
  const auto id = *inode("file");
  const auto before = fs_->open(me_, id, O_RDONLY);
  ASSERT_THAT(before, Succeeds());
  ASSERT_THAT(read(before->handle), Yields("old data"));
  EXPECT_THAT(write("file", "NEW"), Succeeds());
  EXPECT_THAT(read(before->handle), Yields("NEW data"));
  fs_->release(before->handle);
}

TEST_F(CopyUpTest, KeepsTimesModeAttributesAndNumber) {
  lower({{"file", "data"}}).xattr("file", "user.note", "kept");
  const auto path = lower().root() + "/file";
  const timespec times[]{{.tv_sec = 1000, .tv_nsec = 1}, {.tv_sec = 2000, .tv_nsec = 2}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  start();
  const auto before = *stat("file");
  EXPECT_THAT(chmod("file", 0600), Succeeds());
  const auto after = *stat("file");
  EXPECT_EQ(after.st_mode & 07777, 0600u);
  EXPECT_EQ(after.st_mtim.tv_sec, 2000);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_THAT(fs_->getxattr(*inode("file"), "user.note"), Yields("kept"));
}

TEST_F(CopyUpTest, NumberStaysTheSameWhenTheInodeIsForgotten) {
  lower({{"file", "data"}});
  start();
  const auto before = *entry("file");
  EXPECT_THAT(write("file", "x"), Succeeds());
  fs_->forget(before.inode, 1000);
  const auto after = *entry("file");
  EXPECT_NE(after.inode, before.inode);
  EXPECT_EQ(after.attr.st_ino, before.attr.st_ino);
}

TEST_F(CopyUpTest, TheDirectoryDoesNotShowIt) {
  lower({{"d/file", "data"}});
  const timespec times[]{{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 2000, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (lower().root() + "/d").c_str(), times, 0), 0);
  start();
  EXPECT_THAT(write("d/file", "x"), Succeeds());
  EXPECT_EQ(stat("d")->st_mtim.tv_sec, 2000);
}

TEST_F(CopyUpTest, TruncationCopiesNoData) {
  lower({{"file", "0123456789"}, {"other", "0123456789"}, {"third", "0123456789"}});
  start();
  EXPECT_THAT(write("file", "new", O_TRUNC), Succeeds());
  EXPECT_THAT(read("file"), Yields("new"));
  EXPECT_THAT(resize("other", 3), Succeeds());
  EXPECT_THAT(read("other"), Yields("012"));
  EXPECT_THAT(resize("third", 12), Succeeds());
  EXPECT_THAT(read("third"), Yields(std::string("0123456789\0\0", 12)));
}

TEST_F(CopyUpTest, TruncationCountsAsAChangeOfTheFile) {
  lower({{"file", "0123456789"}});
  const timespec times[]{{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 2000, .tv_nsec = 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (lower().root() + "/file").c_str(), times, 0), 0);
  start();
  EXPECT_THAT(resize("file", 4), Succeeds());
  EXPECT_GT(stat("file")->st_mtim.tv_sec, 2000);
}

TEST_F(CopyUpTest, ARemovedFileThatIsOpenCanStillBeChanged) {
  lower({{"file", "data"}});
  start();
  const auto id = *inode("file");
  const auto handle = fs_->open(me_, id, O_RDONLY)->handle;
  EXPECT_THAT(unlink("file"), Succeeds());
  EXPECT_THAT(upper_names(), ElementsAre("file (whiteout)"));
  EXPECT_EQ(fs_->getattr(id)->st_nlink, 0u);
  EXPECT_THAT(
      fs_->setattr(me_, id, {.mode = 0600, .uid = {}, .gid = {}, .size = {}, .atime = {}, .mtime = {}}),
      Succeeds());
  EXPECT_EQ(fs_->getattr(id)->st_mode & 07777, 0600u);
  EXPECT_THAT(read(handle), Yields("data"));
  fs_->release(handle);
  // The copy never got a name.
  EXPECT_THAT(upper_names(), ElementsAre("file (whiteout)"));
  EXPECT_THAT(work_names(), IsEmpty());
}

TEST_F(CopyUpTest, SymlinksAndFifosKeepTheirTimes) {
  lower().symlink("link", "target");
  ASSERT_EQ(::mkfifo((lower().root() + "/fifo").c_str(), 0640), 0);
  const timespec times[]{{.tv_sec = 1000, .tv_nsec = 0}, {.tv_sec = 2000, .tv_nsec = 0}};
  for (const char* name : {"/link", "/fifo"})
    ASSERT_EQ(::utimensat(AT_FDCWD, (lower().root() + name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  start();
  EXPECT_THAT(link("link", "link2"), Succeeds());
  EXPECT_THAT(link("fifo", "fifo2"), Succeeds());
  EXPECT_EQ(stat("link")->st_mtim.tv_sec, 2000);
  EXPECT_EQ(stat("fifo2")->st_mtim.tv_sec, 2000);
  EXPECT_THAT(fs_->readlink(*inode("link2")), Yields("target"));
}

TEST_F(CopyUpTest, AReadOnlyTreeRefuses) {
  lower({{"file", "data"}});
  start(false);
  EXPECT_THAT(write("file", "x"), FailsWith(EROFS));
  EXPECT_THAT(create("new"), FailsWith(EROFS));
  EXPECT_THAT(unlink("file"), FailsWith(EROFS));
  EXPECT_THAT(read("file"), Yields("data"));
}

TEST_F(CopyUpTest, DataThatLiesElsewhereIsNotServedAsEmpty) {
  lower({{"file", ""}}).xattr("file", "user.overlay.metacopy", "");
  start();
  EXPECT_THAT(read("file"), FailsWith(EIO));
}

// A full disk at any step leaves the tree as it was, and the next try succeeds.
class CopyUpFaultTest : public OverlayTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(CopyUpFaultTest, FailureLeavesNoTrace) {
  lower({{"d/big", "0123456789"}}).xattr("d/big", "user.note", "x");
  start();
  ASSERT_THAT(chmod("d", 0700), Succeeds());  // the parent is there already
  const auto before = upper_names();
  const auto attr = *stat("d/big");
  upper_layer().fail_call(GetParam(), ENOSPC);

  const auto result = write("d/big", "x");
  if (!upper_layer().failed()) GTEST_SKIP() << "copy-up has fewer steps than " << GetParam();
  // The times of the parent are a courtesy and the last step of all.
  if (result) {
    EXPECT_THAT(read("d/big"), Yields("x123456789"));
    return;
  }
  EXPECT_THAT(result, FailsWith(ENOSPC));
  EXPECT_EQ(upper_names(), before);
  EXPECT_THAT(work_names(), IsEmpty());
  EXPECT_THAT(read("d/big"), Yields("0123456789"));
  EXPECT_EQ(stat("d/big")->st_mtim.tv_nsec, attr.st_mtim.tv_nsec);

  upper_layer().stop_failing();
  EXPECT_THAT(write("d/big", "x"), Succeeds());
  EXPECT_THAT(read("d/big"), Yields("x123456789"));
}
INSTANTIATE_TEST_SUITE_P(EachStep, CopyUpFaultTest, ::testing::Range(1u, 8u));

class DirectoryCopyUpFaultTest : public OverlayTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(DirectoryCopyUpFaultTest, FailureLeavesNoTrace) {
  lower({{"d/file", "data"}});
  start();
  upper_layer().fail_call(GetParam(), EIO);
  const auto result = create("d/new");
  EXPECT_TRUE(upper_layer().failed());
  EXPECT_THAT(work_names(), IsEmpty());
  EXPECT_THAT(list("d"),
              Yields(result ? std::vector<std::string>{"file", "new"} : std::vector<std::string>{"file"}));
}
INSTANTIATE_TEST_SUITE_P(EachStep, DirectoryCopyUpFaultTest, ::testing::Range(1u, 6u));

}  // namespace
}  // namespace nacre::fs
