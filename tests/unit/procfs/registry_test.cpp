// SPDX-License-Identifier: Apache-2.0
#include "procfs/registry.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using cgroup::Mode;
using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;

class RegistryTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    for (const char* path : {"/nacre", "/nacre/a", "/nacre/a/payload", "/nacre/b", "/other"})
      machine.cgroups.create(path);
  }
  FakeMachine machine{GetParam()};
};

TEST_P(RegistryTest, AnIdIsTakenOnce) {
  const auto first = machine.add("a", "/nacre/a");
  ASSERT_THAT(first, Succeeds());
  EXPECT_THAT(machine.add("a", "/nacre/a"), FailsWith(EEXIST));
  EXPECT_EQ(machine.registry.by_id("a"), *first);
  EXPECT_EQ(machine.registry.by_number((*first)->number()), *first);
  machine.registry.remove("a");
  EXPECT_EQ(machine.registry.by_id("a"), nullptr);
  EXPECT_EQ(machine.registry.by_number((*first)->number()), nullptr);
  const auto second = machine.add("a", "/nacre/a");
  ASSERT_THAT(second, Succeeds());
  EXPECT_NE((*second)->number(), (*first)->number());  // node ids are never used again
  machine.registry.remove(**first);                    // not the same container any more
  EXPECT_EQ(machine.registry.by_id("a"), *second);
}

TEST_P(RegistryTest, BadRegistrationsAreNamed) {
  EXPECT_THAT(machine.add("../a", "/nacre/a"), FailsSaying("bad container id"));
  EXPECT_THAT(machine.add("a", "nacre"), FailsSaying("bad cgroup path"));
  EXPECT_THAT(machine.add("a", "/nacre/../.."), FailsSaying("bad cgroup path"));
  EXPECT_THAT(machine.add("a", "/nacre/none"), FailsSaying("container a: cgroup /nacre/none"));
  EXPECT_THAT(machine.registry.add({"a", 0, "/nacre/a", 0, false}), FailsWith(ESRCH));
  EXPECT_THAT(machine.registry.add({"a", 0x7fffffff, "/nacre/a", 0, false}), FailsWith(ESRCH));
  EXPECT_EQ(machine.registry.size(), 0u);
}

TEST_P(RegistryTest, WithoutAPathTheCgroupsAreThoseOfTheFirstProcess) {
  machine.cgroups.set_memory("/nacre/a", 100 << 20, 0);
  machine.process(::getpid(), "/nacre/a/init.scope");  // of a systemd in the container
  const auto added = machine.add("a", "");
  ASSERT_THAT(added, Succeeds());
  EXPECT_EQ((*added)->cgroup_path(), "/nacre/a");
  EXPECT_EQ((*(*added)->memory())->total, 100u << 10);
  machine.process(5000300, "/nacre/a/deeper");
  EXPECT_EQ(*machine.registry.of_caller(5000300), *added);
}

TEST_P(RegistryTest, ACallerBelongsToTheNearestRegisteredCgroupAbove) {
  const auto outer = *machine.add("outer", "/nacre");
  const auto inner = *machine.add("inner", "/nacre/a");
  machine.process(5000100, "/nacre/a/payload");
  machine.process(5000101, "/nacre/b");
  EXPECT_EQ(*machine.registry.of_caller(5000100), inner);
  EXPECT_EQ(*machine.registry.of_caller(5000101), outer);
  machine.registry.remove("inner");
  EXPECT_EQ(*machine.registry.of_caller(5000100), outer);
}

TEST_P(RegistryTest, WhoSharesACgroupIsFoundWhenTheOtherIsForgotten) {
  const auto first = *machine.add("first", "/nacre/a");
  ASSERT_THAT(machine.add("second", "/nacre/a"), Succeeds());
  machine.process(5000100, "/nacre/a");
  machine.registry.remove("second");
  EXPECT_EQ(*machine.registry.of_caller(5000100), first);
}

TEST_P(RegistryTest, AnUnregisteredCallerSeesItsOwnCgroup) {
  machine.cgroups.set_memory("/other", 100 << 20, 0);
  machine.process(5000200, "/other");
  machine.process(5000201, "/other");
  const auto found = machine.registry.of_caller(5000200);
  ASSERT_THAT(found, Succeeds());
  EXPECT_EQ((*(*found)->memory())->total, 100u * 1024);
  EXPECT_EQ(*machine.registry.of_caller(5000201), *found);
  EXPECT_EQ(machine.registry.size(), 0u);
}

TEST_P(RegistryTest, AnotherCgroupOfTheSameNameIsAnotherContainer) {
  machine.cgroups.set_memory("/other", 100 << 20, 0);
  machine.process(5000200, "/other");
  const auto first = machine.registry.of_caller(5000200);
  ASSERT_THAT(first, Succeeds());
  machine.cgroups.remove("/other");
  machine.cgroups.create("/between");  // a file system may use the old inodes again at once
  machine.cgroups.create("/other");
  const auto second = machine.registry.of_caller(5000200);
  ASSERT_THAT(second, Succeeds());
  EXPECT_NE((*second)->number(), (*first)->number());
  EXPECT_EQ(*machine.registry.of_caller(5000200), *second);
}

TEST_P(RegistryTest, ACallerNobodyCanNameIsAnError) {
  EXPECT_THAT(machine.registry.of_caller(0), FailsWith(ESRCH));
  EXPECT_THAT(machine.registry.of_caller(5099999), FailsWith(ENOENT));
}

TEST_P(RegistryTest, ForgettingClosesWhatWasOpen) {
  const auto before = machine.files.open_count();
  static_cast<void>(machine.add("b", "/nacre/b"));
  ASSERT_THAT(machine.registry.by_id("b")->cpu(), Succeeds());
  EXPECT_GT(machine.files.open_count(), before + 3);
  machine.registry.remove("b");
  machine.files.close_unused();
  machine.files.close_unused();
  EXPECT_EQ(machine.files.open_count(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Layouts, RegistryTest, ::testing::Values(Mode::legacy, Mode::hybrid, Mode::unified),
                         mode_name);

}  // namespace
}  // namespace nacre::procfs
