// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/data_copy.h"

#include <gtest/gtest.h>

#include "base/sys/file.h"
#include "fs/layer/markers.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::fs {
namespace {

using test::Succeeds;
using test::Yields;

class DataCopyTest : public ::testing::Test {
 protected:
  UniqueFd open(const char* name, int flags = O_RDWR | O_CREAT) {
    return std::move(*sys::open_at(AT_FDCWD, (temp_ / name).c_str(), flags, 0600));
  }
  test::TempDir temp_;
};

TEST_F(DataCopyTest, AllOrTheBeginning) {
  ASSERT_THAT(sys::create_file(temp_ / "from", "0123456789"), Succeeds());
  const auto from = open("from"), all = open("all"), part = open("part");
  EXPECT_THAT(copy_file_data(from.get(), all.get(), 10), Succeeds());
  EXPECT_THAT(sys::read_file(temp_ / "all"), Yields("0123456789"));
  EXPECT_THAT(copy_file_data(from.get(), part.get(), 4), Succeeds());
  EXPECT_THAT(sys::read_file(temp_ / "part"), Yields("0123"));
}

TEST_F(DataCopyTest, HolesStayHoles) {
  constexpr off_t kSize = 64 << 20;
  const auto from = open("from"), to = open("to");
  ASSERT_EQ(::ftruncate(from.get(), kSize), 0);
  ASSERT_EQ(::pwrite(from.get(), "x", 1, kSize / 2), 1);
  EXPECT_THAT(copy_file_data(from.get(), to.get(), kSize), Succeeds());
  const auto copy = *sys::stat_fd(to.get());
  EXPECT_EQ(copy.st_size, kSize);
  EXPECT_LT(copy.st_blocks * 512, 1 << 20);
  char byte = 0;
  EXPECT_EQ(::pread(to.get(), &byte, 1, kSize / 2), 1);
  EXPECT_EQ(byte, 'x');
}

TEST(MarkersTest, AttributesAreEscapedBothWays) {
  EXPECT_EQ(attribute_on_disk("user.note"), "user.note");
  EXPECT_EQ(attribute_shown("user.note"), "user.note");
  for (const std::string prefix : {"trusted.overlay.", "user.overlay."}) {
    EXPECT_EQ(attribute_on_disk(prefix + "opaque"), prefix + "overlay.opaque");
    EXPECT_EQ(attribute_shown(prefix + "opaque"), std::nullopt);
    EXPECT_EQ(attribute_shown(prefix + "overlay.opaque"), prefix + "opaque");
  }
}

}  // namespace
}  // namespace nacre::fs
