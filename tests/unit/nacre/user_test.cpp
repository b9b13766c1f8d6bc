// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/user.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "base/sys/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::tool {
namespace {

using test::FailsSaying;
using ::testing::ElementsAre;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "web:x:33:33:web:/var/www:/bin/false\n"
    "4294967296:x:5:5:trap:/trap:/bin/sh\n";
constexpr std::string_view kGroup = "root:x:0:\nwww:x:33:\nlogs:x:40:other,web\nvideo:x:44:web\n";

TEST(ResolveUser, ReadsTheImagesOwnFiles) {
  const auto user = resolve_user_in(kPasswd, kGroup, "web");
  ASSERT_THAT(user, test::Succeeds());
  EXPECT_EQ(user->user.uid, 33u);
  EXPECT_EQ(user->user.gid, 33u);
  EXPECT_THAT(user->user.additional_gids, ElementsAre(40u, 44u));
  EXPECT_EQ(user->home, "/var/www");
}

TEST(ResolveUser, NumbersNeedNoEntry) {
  const auto user = resolve_user_in(kPasswd, kGroup, "1234:56");
  ASSERT_THAT(user, test::Succeeds());
  EXPECT_EQ(user->user.uid, 1234u);
  EXPECT_EQ(user->user.gid, 56u);
  EXPECT_EQ(user->home, "/");
}

TEST(ResolveUser, AGivenGroupReplacesAllOthers) {
  const auto user = resolve_user_in(kPasswd, kGroup, "web:www");
  ASSERT_THAT(user, test::Succeeds());
  EXPECT_EQ(user->user.gid, 33u);
  EXPECT_THAT(user->user.additional_gids, ElementsAre());
}

TEST(ResolveUser, EmptyIsRootEvenWithoutFiles) {
  const auto user = resolve_user_in("", "", "");
  ASSERT_THAT(user, test::Succeeds());
  EXPECT_EQ(user->user.uid, 0u);
  EXPECT_EQ(user->home, "/root");
}

// A number too large for a uid must never be looked up as a name: it would be root's way in.
TEST(ResolveUser, RefusesWhatItCannotMean) {
  EXPECT_THAT(resolve_user_in(kPasswd, kGroup, "4294967296"), FailsSaying("does not fit 32 bits"));
  EXPECT_THAT(resolve_user_in("", "", "4294967296"), FailsSaying("does not fit 32 bits"));
  EXPECT_THAT(resolve_user_in("", "", "4294967295"), FailsSaying("does not fit 32 bits"));
  EXPECT_THAT(resolve_user_in(kPasswd, kGroup, "nobody"), FailsSaying("the image has no user nobody"));
  EXPECT_THAT(resolve_user_in(kPasswd, kGroup, "web:none"), FailsSaying("the image has no group none"));
  EXPECT_THAT(resolve_user_in(kPasswd, kGroup, ":33"), FailsSaying("is not USER[:GROUP]"));
  EXPECT_THAT(resolve_user_in(kPasswd, kGroup, "web:"), FailsSaying("is not USER[:GROUP]"));
}

TEST(ResolveUser, SymlinksInTheImageStayInTheImage) {
  const test::TempDir root;
  ASSERT_THAT(sys::make_directories(root / "etc"), test::Succeeds());
  ASSERT_EQ(::symlink("../../../../../../etc/passwd", (root / "etc/passwd").c_str()), 0);
  const auto fd = sys::open_at(AT_FDCWD, root.path().c_str(), O_PATH | O_DIRECTORY);
  ASSERT_THAT(fd, test::Succeeds());
  // "daemon" is a user of this machine, not of the image.
  EXPECT_THAT(resolve_user(fd->get(), "daemon"), FailsSaying("the image has no user daemon"));
}

}  // namespace
}  // namespace nacre::tool
