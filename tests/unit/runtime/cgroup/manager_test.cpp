// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/manager.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/runtime/cgroup/fake_tree.h"

namespace nacre::runtime {
namespace {

using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

spec::Resources memory_and_pids() {
  spec::Resources resources;
  resources.memory.limit = 256 << 20;
  resources.pids_limit = 64;
  return resources;
}

TEST(CgroupManagerTest, MakesThePathInEveryHierarchyAndLimitsTheLeaf) {
  FakeTree tree({"cpu", "memory", "pids", "name=systemd"}, "hugetlb");
  tree.group("/memory/nacre/box", {"memory.limit_in_bytes"});
  tree.group("/pids/nacre/box", {"pids.max"});

  const auto manager = CgroupManager::create(tree.hierarchies(), "/nacre/box", memory_and_pids());

  ASSERT_THAT(manager, Succeeds());
  for (const auto* hierarchy : {"/cpu", "/memory", "/pids", "/name=systemd", "/unified"})
    EXPECT_TRUE(tree.exists(std::string(hierarchy) + "/nacre/box")) << hierarchy;
  EXPECT_EQ(tree.read("/memory/nacre/box/memory.limit_in_bytes"), "268435456");
  EXPECT_EQ(tree.read("/pids/nacre/box/pids.max"), "64");
  EXPECT_EQ(tree.read("/unified/cgroup.subtree_control"), "") << "hybrid: nothing there is needed";
}

TEST(CgroupManagerTest, V1CpusetsInheritFromTheTopDown) {
  FakeTree tree({"cpuset"}, "", false);
  tree.write("/cpuset/cpuset.cpus", "0-3\n");
  tree.write("/cpuset/cpuset.mems", "0\n");
  tree.write("/cpuset/a/cpuset.cpus", "\n");
  tree.write("/cpuset/a/cpuset.mems", "\n");
  tree.group("/cpuset/a/b", {"cpuset.cpus", "cpuset.mems"});

  ASSERT_THAT(CgroupManager::create(tree.hierarchies(), "/a/b", {}), Succeeds());

  EXPECT_THAT(tree.read("/cpuset/a/cpuset.cpus"), HasSubstr("0-3"));
  EXPECT_EQ(tree.read("/cpuset/a/b/cpuset.cpus"), "0-3");
  EXPECT_EQ(tree.read("/cpuset/a/b/cpuset.mems"), "0");
}

TEST(CgroupManagerTest, V2EnablesControllersAboveTheLeaf) {
  FakeTree tree({}, "cpu io memory pids rdma");
  tree.write("/nacre/cgroup.controllers", "memory pids");
  tree.write("/nacre/cgroup.subtree_control", "memory");
  tree.group("/nacre/box", {"memory.max", "pids.max"});

  ASSERT_THAT(CgroupManager::create(tree.hierarchies(), "/nacre/box", memory_and_pids()), Succeeds());

  EXPECT_EQ(tree.read("/cgroup.subtree_control"), "+cpu +io +memory +pids");
  EXPECT_THAT(tree.read("/nacre/cgroup.subtree_control"), HasSubstr("+pids"));
  EXPECT_EQ(tree.read("/nacre/box/memory.max"), "268435456");
  EXPECT_FALSE(tree.exists("/nacre/box/cgroup.subtree_control"));
}

TEST(CgroupManagerTest, AControllerThatIsMissingAboveIsNamed) {
  FakeTree tree({}, "cpu memory pids");
  tree.write("/nacre/cgroup.controllers", "cpu");
  tree.write("/nacre/cgroup.subtree_control", "");
  EXPECT_THAT(CgroupManager::create(tree.hierarchies(), "/nacre/box", memory_and_pids()),
              FailsSaying("controller \"memory\" is not available in"));
  EXPECT_FALSE(tree.exists("/nacre/box"));
}

TEST(CgroupManagerTest, ALimitTheKernelLacksIsNamedAndNothingStays) {
  FakeTree tree({"memory", "pids"}, "", false);
  EXPECT_THAT(CgroupManager::create(tree.hierarchies(), "/nacre/box", memory_and_pids()),
              FailsSaying("memory limit 268435456: this kernel has no "));
  EXPECT_FALSE(tree.exists("/memory/nacre"));
  EXPECT_FALSE(tree.exists("/pids/nacre"));
}

TEST(CgroupManagerTest, NonsenseIsFoundBeforeAnythingIsMade) {
  FakeTree tree({"memory"}, "", false);
  spec::Resources resources;
  resources.memory.limit = 1;
  EXPECT_THAT(CgroupManager::create(tree.hierarchies(), "/box", resources), FailsSaying("too small"));
  EXPECT_FALSE(tree.exists("/memory/box"));
}

TEST(CgroupManagerTest, ACgroupInUseIsRefused) {
  FakeTree tree({"pids"}, "", false);
  tree.write("/pids/box/cgroup.procs", "4242\n");
  EXPECT_THAT(CgroupManager::create(tree.hierarchies(), "/box", {}), FailsWith(EBUSY));
  EXPECT_THAT(CgroupManager::create(tree.hierarchies(), "/box", {}),
              FailsSaying("already has processes in it (4242)"));
}

TEST(CgroupManagerTest, PathsThatWouldReachOthersAreRefused) {
  FakeTree tree({"pids"}, "");
  for (const auto* path : {"", "/", "box", "/a/../b", "/a//b", "/a/", "/.", "/..", "/a\nb"}) {
    EXPECT_THAT(CgroupManager::open(tree.hierarchies(), path), FailsSaying("cgroup path")) << path;
    EXPECT_THAT(CgroupManager::create(tree.hierarchies(), path, {}), FailsSaying("cgroup path")) << path;
  }
}

TEST(CgroupManagerTest, WithoutACgroupFileSystemItSaysSo) {
  FakeTree tree({}, "", false);
  EXPECT_THAT(CgroupManager::create(tree.hierarchies(), "/box", {}), FailsSaying("no cgroup file system"));
}

TEST(CgroupManagerTest, JoinsEveryHierarchy) {
  FakeTree tree({"memory", "name=systemd"}, "");
  for (const auto* hierarchy : {"/memory", "/name=systemd", "/unified"})
    tree.group(std::string(hierarchy) + "/box", {"cgroup.procs"});
  auto manager = CgroupManager::open(tree.hierarchies(), "/box");
  ASSERT_THAT(manager, Succeeds());
  EXPECT_THAT(manager->procs_files(), SizeIs(3));
  EXPECT_THAT(manager->join(4242), Succeeds());
  for (const auto* hierarchy : {"/memory", "/name=systemd", "/unified"})
    EXPECT_EQ(tree.read(std::string(hierarchy) + "/box/cgroup.procs"), "4242") << hierarchy;
}

TEST(CgroupManagerTest, ProcessesAreThoseOfEveryHierarchyAndBelow) {
  FakeTree tree({"memory"}, "");
  tree.write("/memory/box/cgroup.procs", "30\n10\n0\n");
  tree.write("/memory/box/inner/cgroup.procs", "20\n");
  tree.write("/unified/box/cgroup.procs", "10\n40\n");
  const auto manager = CgroupManager::open(tree.hierarchies(), "/box");
  EXPECT_THAT(manager->pids(), Yields(ElementsAre(10, 20, 30, 40)));
}

TEST(CgroupManagerTest, OomKillsAreFoundBelowToo) {
  FakeTree v1({"memory"}, "", false);
  v1.write("/memory/box/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  const auto first = CgroupManager::open(v1.hierarchies(), "/box");
  EXPECT_THAT(first->oom_killed(), Yields(false));
  v1.write("/memory/box/payload/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  EXPECT_THAT(first->oom_killed(), Yields(true));

  FakeTree v2({}, "memory");
  v2.write("/box/memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 0\noom_group_kill 0\n");
  const auto second = CgroupManager::open(v2.hierarchies(), "/box");
  EXPECT_THAT(second->oom_killed(), Yields(false));
  v2.write("/box/memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n");
  EXPECT_THAT(second->oom_killed(), Yields(true));
}

TEST(CgroupManagerTest, AMissingCgroupIsEmpty) {
  FakeTree tree({"memory", "freezer"}, "");
  auto manager = CgroupManager::open(tree.hierarchies(), "/gone");
  EXPECT_THAT(manager->pids(), Yields(IsEmpty()));
  EXPECT_THAT(manager->procs_files(), IsEmpty());
  EXPECT_THAT(manager->kill_all(9), Succeeds());
  EXPECT_THAT(manager->remove(), Succeeds());
  EXPECT_THAT(manager->oom_killed(), Yields(false));
  EXPECT_THAT(manager->frozen(), Yields(false));
  EXPECT_THAT(manager->join(1), FailsWith(ENOENT));
}

}  // namespace
}  // namespace nacre::runtime
