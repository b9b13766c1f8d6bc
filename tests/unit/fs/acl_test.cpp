// SPDX-License-Identifier: Apache-2.0
#include "fs/acl.h"

#include <gtest/gtest.h>
#include <linux/posix_acl.h>

#include <vector>

namespace nacre::fs {
namespace {

struct Rule {
  unsigned tag, permissions, id;
};

std::string encode(const std::vector<Rule>& rules) {
  std::string text("\x02\0\0\0", 4);
  for (const auto& [tag, permissions, id] : rules) {
    for (const unsigned value : {tag, permissions}) {
      text += static_cast<char>(value & 0xff);
      text += static_cast<char>(value >> 8);
    }
    for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(id >> shift & 0xff);
  }
  return text;
}

constexpr unsigned kNobody = 0xffffffff;

TEST(AclTest, APlainListOnlyNarrowsTheMode) {
  const auto result = inherit(
      encode({{ACL_USER_OBJ, 7, kNobody}, {ACL_GROUP_OBJ, 5, kNobody}, {ACL_OTHER, 0, kNobody}}), 0100666);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->mode, 0100640u);
  EXPECT_FALSE(result->access);
}

TEST(AclTest, AMaskTakesTheGroupsPlace) {
  const auto list = [](unsigned user, unsigned mask, unsigned other) {
    return encode({{ACL_USER_OBJ, user, kNobody},
                   {ACL_USER, 7, 1000},
                   {ACL_GROUP_OBJ, 7, kNobody},
                   {ACL_MASK, mask, kNobody},
                   {ACL_OTHER, other, kNobody}});
  };
  const auto result = inherit(list(7, 7, 5), 0640);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->mode, 0640u);
  EXPECT_EQ(result->access, list(6, 4, 0));
}

TEST(AclTest, MalformedListsAreNone) {
  EXPECT_FALSE(inherit("", 0644));
  EXPECT_FALSE(inherit("\x01", 0644));
  EXPECT_FALSE(inherit(encode({{99, 7, 0}}), 0644));
  EXPECT_FALSE(inherit(encode({}), 0644));
  EXPECT_FALSE(inherit(encode({{ACL_USER_OBJ, 7, kNobody}}) + "x", 0644));
}

}  // namespace
}  // namespace nacre::fs
