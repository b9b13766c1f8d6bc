// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;

class HardLinksTest : public OverlayTest {
 protected:
  HardLinksTest() {
    lower({{"dir/one", "data"}});
    EXPECT_EQ(::link((temp_ / "lower1/dir/one").c_str(), (temp_ / "lower1/two").c_str()), 0);
    EXPECT_EQ(::link((temp_ / "lower1/dir/one").c_str(), (temp_ / "lower1/three").c_str()), 0);
  }
};

TEST_F(HardLinksTest, AChangeThroughOneNameIsSeenThroughAll) {
  start();
  const auto number = stat("two")->st_ino;
  ASSERT_THAT(write("dir/one", "DATA"), Succeeds());
  for (int mount = 0; mount < 2; ++mount) {
    for (const char* name : {"dir/one", "two", "three"}) {
      EXPECT_THAT(read(name), Yields("DATA")) << name;
      EXPECT_EQ(stat(name)->st_nlink, 3u) << name;
      EXPECT_EQ(stat(name)->st_ino, number) << name;
    }
    start();
  }
}

TEST_F(HardLinksTest, NamesComeAndGo) {
  start();
  ASSERT_THAT(unlink("two"), Succeeds());
  EXPECT_EQ(stat("three")->st_nlink, 2u);
  ASSERT_THAT(rename("dir/one", "four"), Succeeds());
  ASSERT_THAT(link("three", "five"), Succeeds());
  start();
  EXPECT_EQ(stat("three")->st_nlink, 3u);
  EXPECT_EQ(stat("four")->st_ino, stat("five")->st_ino);
  for (const char* name : {"three", "four", "five"}) ASSERT_THAT(unlink(name), Succeeds());
  EXPECT_THAT(inode("three"), FailsWith(ENOENT));
  EXPECT_THAT(test::TreeBuilder(temp_ / "index").names(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace nacre::fs
