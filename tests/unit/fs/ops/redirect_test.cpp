// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;

class RedirectTest : public OverlayTest {};

TEST_F(RedirectTest, DirectoriesAreFoundWhereTheLayerAboveSays) {
  lower2({{"old/deep/file", "deep"}, {"old/one", "1"}});
  lower().dir("new").xattr("new", "user.overlay.redirect", "/old");
  lower({{"new/top", ""}});
  upper().dir("side").xattr("side", "user.overlay.redirect", "new");
  start();
  EXPECT_THAT(list("new"), Yields(ElementsAre("deep", "one", "top")));
  EXPECT_THAT(read("new/deep/file"), Yields("deep"));
  EXPECT_THAT(list("side"), Yields(ElementsAre("deep", "one", "top")));
  EXPECT_THAT(read("side/deep/file"), Yields("deep"));
}

TEST_F(RedirectTest, ALowerDirectoryMovesWhenAsked) {
  lower({{"dir/sub/file", "data"}, {"other/x", ""}});
  start();
  EXPECT_THAT(rename("dir", "moved"), FailsWith(EXDEV));
  afar_ = true;
  start();
  ASSERT_THAT(rename("dir", "moved"), Succeeds());
  ASSERT_THAT(rename("moved/sub", "other/sub"), Succeeds());
  EXPECT_THAT(read("other/sub/file"), Yields("data"));
  EXPECT_THAT(write("other/sub/file", "DATA"), Succeeds());
  start();
  EXPECT_THAT(list(""), Yields(ElementsAre("moved", "other")));
  EXPECT_THAT(list("moved"), Yields(ElementsAre()));
  EXPECT_THAT(read("other/sub/file"), Yields("DATA"));
}

TEST_F(RedirectTest, MetadataChangesCopyNoData) {
  const std::string data = "data of some length" + std::string(100'000, '.');
  lower({{"dir/file", data}});
  afar_ = true;
  start();
  ASSERT_THAT(chmod("dir/file", 0600), Succeeds());
  ASSERT_THAT(rename("dir/file", "moved"), Succeeds());
  struct stat copy {};
  ASSERT_EQ(::stat((temp_ / "upper/moved").c_str(), &copy), 0);
  EXPECT_EQ(copy.st_size, 100'019);
  EXPECT_LT(copy.st_blocks, 50'000 / 512);  // attributes may take some
  const auto begins = [&](std::string_view wanted) { return read("moved")->starts_with(wanted); };
  EXPECT_TRUE(begins("data of some length"));
  start();
  EXPECT_TRUE(begins("data of some length"));
  ASSERT_THAT(write("moved", "DATA"), Succeeds());
  EXPECT_TRUE(begins("DATA of some length."));
  EXPECT_EQ(stat("moved")->st_mode & 0777u, 0600u);
}

TEST_F(RedirectTest, DataOnlyLayersAreReachedByRedirectsOnly) {
  lower2({{"ab/cdef", "content"}});
  lower({{"file", ""}})
      .xattr("file", "user.overlay.metacopy", "")
      .xattr("file", "user.overlay.redirect", "/ab/cdef");
  data_only_ = 1;
  start();
  EXPECT_THAT(list(""), Yields(ElementsAre("file")));
  EXPECT_THAT(inode("ab"), FailsWith(ENOENT));
  EXPECT_THAT(read("file"), Yields("content"));
}

}  // namespace
}  // namespace nacre::fs
