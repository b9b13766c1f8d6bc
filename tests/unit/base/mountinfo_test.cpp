// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "base/cgroup/hierarchy.h"
#include "base/sys/mount.h"
#include "base/sys/process.h"
#include "tests/support/result_matchers.h"

namespace nacre {
namespace {

using test::FailsSaying;

constexpr std::string_view kHybrid =
    "24 20 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "25 24 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
    "26 24 0:24 / /sys/fs/cgroup/with\\040blank rw - cgroup cgroup rw,memory\n"
    "27 24 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd\n"
    "28 24 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

TEST(Mountinfo, SkipsOptionalFieldsAndDecodesOctal) {
  const auto mounts = sys::parse_mountinfo(kHybrid);
  ASSERT_THAT(mounts, test::Succeeds());
  ASSERT_EQ(mounts->size(), 5u);
  EXPECT_EQ((*mounts)[1].type, "cgroup");
  EXPECT_EQ((*mounts)[1].super_options, "rw,cpu,cpuacct");
  EXPECT_EQ((*mounts)[2].mountpoint, "/sys/fs/cgroup/with blank");
}

TEST(Mountinfo, NamesAMalformedLine) {
  EXPECT_THAT(sys::parse_mountinfo("1 2 3\n"), FailsSaying("malformed mountinfo line: 1 2 3"));
  EXPECT_THAT(sys::parse_mountinfo("1 2 0:1 / / rw shared:1 cgroup\n"), FailsSaying("malformed"));
}

TEST(Hierarchies, FindsControllersWhereTheyAre) {
  const auto hierarchies = cgroup::Hierarchies::from_mountinfo(kHybrid);
  ASSERT_THAT(hierarchies, test::Succeeds());
  EXPECT_EQ(hierarchies->mode(), cgroup::Mode::hybrid);
  ASSERT_NE(hierarchies->of("cpuacct"), nullptr);
  EXPECT_EQ(hierarchies->of("cpuacct")->directory("/a/b"), "/sys/fs/cgroup/cpu,cpuacct/a/b");
  EXPECT_EQ(hierarchies->of("name=systemd")->mountpoint, "/sys/fs/cgroup/systemd");
  EXPECT_EQ(hierarchies->of("hugetlb"), nullptr);
}

TEST(Hierarchies, AMountOfASubtreeHidesItsPrefix) {
  const cgroup::Hierarchy part{.mountpoint = "/cg", .root = "/box", .controllers = {}, .v2 = true};
  EXPECT_EQ(part.directory("/box/a"), "/cg/a");
  EXPECT_EQ(part.directory("/box"), "/cg");
  EXPECT_EQ(part.directory("/boxer"), "/cg/boxer");
}

TEST(Memberships, ReadBothVersions) {
  const auto memberships = cgroup::parse_memberships("4:cpu,cpuacct:/a:b\n1:name=systemd:/s\n0::/u\n");
  ASSERT_THAT(memberships, test::Succeeds());
  EXPECT_THAT(cgroup::path_for(*memberships, "cpuacct"), test::Yields("/a:b"));
  EXPECT_THAT(cgroup::path_for(*memberships, "memory"), test::Yields("/u"));
  EXPECT_THAT(cgroup::parse_memberships("4:cpu\n"), FailsSaying("malformed"));
}

TEST(ProcessStat, SurvivesHostileNames) {
  const auto stat =
      sys::parse_process_stat("7 (a) R 1 ) ( b) S 42 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0");
  ASSERT_THAT(stat, test::Succeeds());
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->parent, 42);
  EXPECT_EQ(stat->start_ticks, 12345u);
  EXPECT_THAT(sys::parse_process_stat("7 (x"), FailsSaying("malformed"));
}

}  // namespace
}  // namespace nacre
