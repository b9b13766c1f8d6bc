// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CreateTest : public OverlayTest {};

TEST_F(CreateTest, TheUmaskIsApplied) {
  start();
  ASSERT_THAT(create("file", "data", 0666), Succeeds());
  EXPECT_EQ(stat("file")->st_mode & 07777, 0644u);
  ASSERT_THAT(mkdir("d", 0777), Succeeds());
  EXPECT_EQ(stat("d")->st_mode & 07777, 0755u);
}

TEST_F(CreateTest, OverAWhiteout) {
  lower({{"file", "old"}});
  start();
  ASSERT_THAT(unlink("file"), Succeeds());
  ASSERT_THAT(create("file", "new"), Succeeds());
  EXPECT_THAT(read("file"), Yields("new"));
  EXPECT_THAT(upper_names(), ElementsAre("file"));
  EXPECT_THAT(work_names(), IsEmpty());
}

TEST_F(CreateTest, WhatExistsInAnyLayerExists) {
  lower({{"file", ""}});
  start();
  EXPECT_THAT(create("file"), FailsWith(EEXIST));
  EXPECT_THAT(mkdir("file"), FailsWith(EEXIST));
  EXPECT_THAT(upper_names(), IsEmpty());
}

TEST_F(CreateTest, ASetgidDirectoryPassesItsGroupOn) {
  upper().dir("d");
  ASSERT_EQ(::chmod((upper().root() + "/d").c_str(), 02755), 0);
  start();
  const auto parent = *inode("d");
  const auto group = stat("d")->st_gid;
  const Caller other{me_.uid, me_.uid == 0 ? 4321u : me_.gid, 022};
  const auto dir = fs_->mkdir(other, parent, "sub", 0755);
  ASSERT_THAT(dir, Succeeds());
  EXPECT_EQ(dir->attr.st_gid, group);
  EXPECT_EQ(dir->attr.st_mode & 07777, 02755u);
  const auto file = fs_->mknod(other, parent, "file", S_IFREG | 0644, 0);
  ASSERT_THAT(file, Succeeds());
  EXPECT_EQ(file->attr.st_gid, group);
}

TEST_F(CreateTest, FilesBelongToTheCaller) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  start();
  const Caller other{1234, 5678, 0};
  const auto file = fs_->mknod(other, kRootInode, "file", S_IFREG | 04755, 0);
  ASSERT_THAT(file, Succeeds());
  EXPECT_EQ(file->attr.st_uid, 1234u);
  EXPECT_EQ(file->attr.st_gid, 5678u);
  EXPECT_EQ(file->attr.st_mode & 07777, 04755u);
  const auto link = fs_->symlink(other, kRootInode, "link", "target");
  ASSERT_THAT(link, Succeeds());
  EXPECT_EQ(link->attr.st_uid, 1234u);
}

TEST_F(CreateTest, NobodyMakesAWhiteout) {
  start();
  EXPECT_THAT(fs_->mknod(me_, kRootInode, "w", S_IFCHR | 0600, 0), FailsWith(EPERM));
}

TEST_F(CreateTest, AFileWithoutANameCanGetOne) {
  start();
  const auto made = fs_->tmpfile(me_, kRootInode, 0600);
  ASSERT_THAT(made, Succeeds());
  ASSERT_THAT(fs_->write(me_, made->opened.handle, std::string_view("data"), 0), Succeeds());
  EXPECT_THAT(upper_names(), IsEmpty());
  const auto named = fs_->link(made->entry.inode, kRootInode, "file");
  ASSERT_THAT(named, Succeeds());
  EXPECT_EQ(named->inode, made->entry.inode);
  EXPECT_THAT(read("file"), Yields("data"));
  fs_->release(made->opened.handle);
  EXPECT_THAT(read("file"), Yields("data"));
  EXPECT_EQ(stat("file")->st_nlink, 1u);
}

TEST_F(CreateTest, AHandleIsGoneAfterItsRelease) {
  start();
  ASSERT_THAT(create("file", "data"), Succeeds());
  const auto handle = fs_->open(me_, *inode("file"), O_RDONLY)->handle;
  fs_->release(handle);
  EXPECT_THAT(read(handle), FailsWith(EBADF));
  EXPECT_EQ(fs_->statistics().handles, 0u);
}

TEST_F(CreateTest, AWriteOfAnotherUserClearsSetIdBits) {
  start();
  ASSERT_THAT(create("file", "data"), Succeeds());
  ASSERT_THAT(chmod("file", 06755), Succeeds());
  const auto id = *inode("file");
  const auto handle = fs_->open(me_, id, O_RDWR)->handle;
  ASSERT_THAT(fs_->write({0, 0, 0}, handle, std::string_view("x"), 0), Succeeds());
  if (me_.uid == 0) {
    EXPECT_EQ(stat("file")->st_mode & 07777, 06755u);
  }
  ASSERT_THAT(fs_->write({1000, 1000, 0}, handle, std::string_view("x"), 0), Succeeds());
  EXPECT_EQ(stat("file")->st_mode & 07777, 0755u);
  fs_->release(handle);
}

class CreateFaultTest : public OverlayTest, public ::testing::WithParamInterface<unsigned> {};

TEST_P(CreateFaultTest, FailureLeavesTheWhiteout) {
  lower({{"d/x", ""}});
  start();
  ASSERT_THAT(unlink("d/x"), Succeeds());
  ASSERT_THAT(rmdir("d"), Succeeds());
  upper_layer().fail_call(GetParam(), ENOSPC);
  EXPECT_THAT(mkdir("d"), FailsWith(ENOSPC));
  EXPECT_THAT(upper_names(), ElementsAre("d (whiteout)"));
  EXPECT_THAT(work_names(), IsEmpty());
}
// stage, owner, mode, opaque, publish
INSTANTIATE_TEST_SUITE_P(EachStep, CreateFaultTest, ::testing::Range(1u, 6u));

}  // namespace
}  // namespace nacre::fs
