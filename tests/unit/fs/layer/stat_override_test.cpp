// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/stat_override.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/sysmacros.h>

namespace nacre::fs {
namespace {

TEST(StatOverride, OwnerAndModeLeaveTheTypeAlone) {
  const auto override = parse_stat_override("1000:2000:0751");
  ASSERT_TRUE(override);
  EXPECT_EQ(override->uid, 1000U);
  EXPECT_EQ(override->gid, 2000U);
  EXPECT_EQ(override->mode, 0751U);
}

TEST(StatOverride, TypesAreThoseOfImageStores) {
  EXPECT_EQ(parse_stat_override("0:0:4755:file")->mode, S_IFREG | 04755U);
  EXPECT_EQ(parse_stat_override("0:0:1777:dir")->mode, S_IFDIR | 01777U);
  EXPECT_EQ(parse_stat_override("0:0:0644:pipe")->mode, S_IFIFO | 0644U);
  const auto block = parse_stat_override("0:6:0660:block-8-17");
  EXPECT_EQ(block->mode, S_IFBLK | 0660U);
  EXPECT_EQ(block->device, ::makedev(8, 17));
}

// The same number with or without leading zeros: both are in stores.
TEST(StatOverride, ModesAreOctal) { EXPECT_EQ(parse_stat_override("0:0:100755")->mode, 0755U); }

TEST(StatOverride, NonsenseIsNoOwner) {
  for (const char* const text : {"", "1:2", "a:2:0755", "1:2:0799", "1:-2:0755", "1:2:0755:thing",
                                 "1:2:0755:char", "1:2:0755:char-1", "1:2:0755:block-x-1"})
    EXPECT_FALSE(parse_stat_override(text)) << text;
}

TEST(StatOverride, WhatIsWrittenIsReadAgain) {
  for (const char* const text :
       {"1:2:0751", "0:0:4755", "5:6:0600:pipe", "5:6:0600:socket", "0:0:0666:char-1-3"})
    EXPECT_EQ(format_stat_override(*parse_stat_override(text)), text);
  // Of what the file is itself the type is not written, for older readers.
  EXPECT_EQ(format_stat_override({.uid = 1, .gid = 2, .mode = S_IFDIR | 0755, .device = 0}), "1:2:0755");
}

TEST(OverrideAttribute, SecurityAttributesAreKeptElsewhere) {
  const auto attribute = OverrideAttribute::containers();
  EXPECT_EQ(attribute.on_disk("security.capability"), "user.containers.override_security.capability");
  EXPECT_EQ(attribute.shown("user.containers.override_security.capability"), "security.capability");
  EXPECT_EQ(attribute.shown("security.selinux"), std::nullopt);  // the host's
  EXPECT_EQ(attribute.on_disk("user.x"), "user.x");
  EXPECT_EQ(attribute.shown("user.x"), "user.x");
  EXPECT_EQ(attribute.on_disk("user.containers.override_stat"), std::nullopt);
  EXPECT_EQ(attribute.shown("user.containers.override_stat"), std::nullopt);
  EXPECT_EQ(attribute.on_disk("system.posix_acl_access"), std::nullopt);
  EXPECT_EQ(OverrideAttribute::privileged().on_disk("security.capability"), "security.capability");
}

}  // namespace
}  // namespace nacre::fs
