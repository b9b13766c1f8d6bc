// SPDX-License-Identifier: Apache-2.0
#include <sys/xattr.h>

#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::IsEmpty;

class XattrTest : public OverlayTest {};

TEST_F(XattrTest, SetGetListRemove) {
  lower({{"file", ""}});
  start();
  const auto id = *inode("file");
  EXPECT_THAT(fs_->getxattr(id, "user.a"), FailsWith(ENODATA));
  EXPECT_THAT(fs_->removexattr(id, "user.a"), FailsWith(ENODATA));
  EXPECT_THAT(upper_names(), IsEmpty());
  EXPECT_THAT(fs_->setxattr(id, "user.a", "value", 0), Succeeds());
  EXPECT_THAT(fs_->setxattr(id, "user.a", "value", XATTR_CREATE), FailsWith(EEXIST));
  EXPECT_THAT(fs_->getxattr(id, "user.a"), Yields("value"));
  EXPECT_THAT(fs_->listxattr(id), Yields(std::string("user.a\0", 7)));
  EXPECT_THAT(fs_->removexattr(id, "user.a"), Succeeds());
  EXPECT_THAT(fs_->listxattr(id), Yields(""));
}

TEST_F(XattrTest, TheOverlaysOwnAreHidden) {
  upper().opaque("d");
  start();
  const auto id = *inode("d");
  EXPECT_THAT(fs_->listxattr(id), Yields(""));
  EXPECT_THAT(fs_->getxattr(id, "user.overlay.opaque"), FailsWith(ENODATA));
}

TEST_F(XattrTest, AnOverlayInsideCanHaveItsOwn) {
  upper().opaque("d");
  start();
  const auto id = *inode("d");
  EXPECT_THAT(fs_->setxattr(id, "user.overlay.opaque", "n", 0), Succeeds());
  EXPECT_THAT(fs_->getxattr(id, "user.overlay.opaque"), Yields("n"));
  EXPECT_THAT(fs_->listxattr(id), Yields(std::string("user.overlay.opaque\0", 20)));
  char value = 0;
  EXPECT_EQ(::getxattr((upper().root() + "/d").c_str(), "user.overlay.opaque", &value, 1), 1);
  EXPECT_EQ(value, 'y');
}

TEST_F(XattrTest, OfTheRoot) {
  lower().xattr(".", "user.a", "1");
  start(false);
  EXPECT_THAT(fs_->getxattr(kRootInode, "user.a"), Yields("1"));
  EXPECT_THAT(fs_->listxattr(kRootInode), Yields(std::string("user.a\0", 7)));
}

}  // namespace
}  // namespace nacre::fs
