// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan/mount_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "tests/support/result_matchers.h"

namespace nacre::runtime::plan {
namespace {

using test::FailsSaying;

MountOptions parsed(const std::vector<std::string>& options) {
  const auto out = parse_mount_options(options);
  EXPECT_THAT(out, test::Succeeds());
  return out.value_or(MountOptions{});
}

TEST(MountOptions, SortsByWhatHasToBeDone) {
  const auto out =
      parsed({"rbind", "ro", "nosuid", "rnoexec", "rslave", "size=1m", "newinstance", "tmpcopyup"});
  EXPECT_TRUE(out.bind);
  EXPECT_TRUE(out.recursive_bind);
  EXPECT_EQ(out.set, static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
  EXPECT_EQ(out.set_below, static_cast<std::uint64_t>(MOUNT_ATTR_NOEXEC));
  EXPECT_EQ(out.propagation, static_cast<std::uint64_t>(MS_SLAVE));
  EXPECT_TRUE(out.propagation_below);
  EXPECT_TRUE(out.copy_up);
  const std::vector<sys::FsParameter> rest{{"size", "1m"}, {"newinstance", ""}};
  EXPECT_EQ(out.parameters, rest);
}

TEST(MountOptions, LaterOnesWin) {
  EXPECT_EQ(parsed({"ro", "rw"}).set, 0u);
  EXPECT_EQ(parsed({"ro", "rw"}).clear, static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY));
  EXPECT_EQ(parsed({"rw", "ro"}).set, static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY));
  EXPECT_EQ(parsed({"rw", "ro"}).clear, 0u);
}

TEST(MountOptions, AccessTimesExcludeEachOther) {
  // mount_setattr(2) wants the whole field cleared before one value of it is set.
  const auto out = parsed({"strictatime", "noatime"});
  EXPECT_EQ(out.set, static_cast<std::uint64_t>(MOUNT_ATTR_NOATIME));
  EXPECT_EQ(out.clear & MOUNT_ATTR__ATIME, static_cast<std::uint64_t>(MOUNT_ATTR__ATIME));
}

TEST(MountOptions, KeepsTheValueAfterTheFirstEquals) {
  const std::vector<sys::FsParameter> rest{{"lowerdir", "/a=b:/c"}};
  EXPECT_EQ(parsed({"lowerdir=/a=b:/c"}).parameters, rest);
}

TEST(MountOptions, RefusesWhatItCannotHonour) {
  EXPECT_THAT(parse_mount_options({"idmap"}), FailsSaying("\"idmap\" is not supported"));
  EXPECT_THAT(parse_mount_options({"ridmap=x"}), FailsSaying("not supported"));
}

TEST(MountOptions, EveryKnownOptionIsUnderstood) {
  for (const auto& name : known_mount_options()) {
    const auto out = parsed({name});
    const bool is_flag = name == "sync" || name == "async" || name == "dirsync" ||
                         name.ends_with("lazytime") || name.ends_with("mand");
    EXPECT_EQ(out.parameters.size(), is_flag ? 1u : 0u) << name;
  }
}

}  // namespace
}  // namespace nacre::runtime::plan
