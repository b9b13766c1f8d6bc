// SPDX-License-Identifier: Apache-2.0
// A second daemon goes on with what the first one has left in the state.
#include <gmock/gmock.h>

#include "procfs/open_files.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using cgroup::Mode;
using test::FailsWith;
using test::Succeeds;
using ::testing::SizeIs;

// One after the other on the same machine.
struct Daemon {
  Daemon(FakeMachine& machine, StateFile& state)
      : registry({machine.files, machine.host, machine.clock, &state}, machine.cgroups.hierarchies()),
        tree(registry, &state),
        files(tree, machine.clock, nullptr, &state) {
    registry.restore();
  }
  Registry registry;
  Tree tree;
  OpenFiles files;
};

class GoingOnTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    machine.cgroups.create("/box");
    machine.cgroups.set_memory("/box", 100 << 20, 1 << 20);
    machine.cgroups.set_quota("/box", 100'000, 100'000);
  }
  control::Registration box() { return {"box", ::getpid(), "/box", -machine.clock.boottime().count(), true}; }
  Result<NodeId> at(Daemon& daemon, const std::string& path) {
    return daemon.tree.resolve({}, "containers/box/" + path, 0);
  }

  FakeMachine machine{GetParam()};
  StateFile state = std::move(*StateFile::create());
};

TEST_P(GoingOnTest, ContainersAndTheirCountersAreTheSame) {
  Daemon first(machine, state);
  const auto before = *first.registry.add(box());
  machine.clock.advance(std::chrono::seconds(100));
  machine.cgroups.set_usage("/box", 4'000'000, 3'000'000);
  const auto seen = *before->cpu();
  ASSERT_GT(seen->cpu_total.user, 0u);

  Daemon second(machine, state);
  const auto after = second.registry.by_id("box");
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->number(), before->number());
  EXPECT_EQ(second.registry.init_of(*after), ::getpid());
  // The kernel begins again, as when a cgroup is replaced: what was shown stays.
  machine.cgroups.set_usage("/box", 0, 0);
  machine.later();
  const auto now = *after->cpu();
  EXPECT_EQ(now->cpu_total.user, seen->cpu_total.user);
  EXPECT_EQ(now->cpu_total.system, seen->cpu_total.system);
  EXPECT_EQ(now->cpu_total.idle, seen->cpu_total.idle + 2'000'000);

  // No number is used twice.
  second.registry.remove("box");
  Daemon third(machine, state);
  EXPECT_EQ(third.registry.size(), 0u);
  EXPECT_GT((*third.registry.add(box()))->number(), before->number());
  EXPECT_EQ((*third.registry.by_id("box")->cpu())->cpu_total.user, 0u);
}

TEST_P(GoingOnTest, NumbersThatWereReservedOrMetAreNotUsedAgain) {
  Daemon first(machine, state);
  const auto reserved = first.registry.reserve();
  const auto later = first.registry.reserve();
  ASSERT_THAT(first.registry.add(box(), reserved), Succeeds());
  Daemon second(machine, state);
  EXPECT_EQ(second.registry.by_id("box")->number(), reserved);
  EXPECT_GT(second.registry.reserve(), later);
}

TEST_P(GoingOnTest, OfVisitorsSomeAreRemembered) {
  for (const pid_t pid : {5000001, 5000002, 5000003}) {
    const auto cgroup = "/visitor" + std::to_string(pid);
    machine.cgroups.create(cgroup);
    machine.process(pid, cgroup);
  }
  constexpr std::size_t kCapacity = 2;
  const auto daemon = [&] {
    auto registry = std::make_unique<Registry>(Sources{machine.files, machine.host, machine.clock, &state},
                                               machine.cgroups.hierarchies(), kCapacity);
    registry->restore();
    return registry;
  };
  const auto first = daemon();
  const auto number = [](Registry& registry, pid_t pid) { return (*registry.of_caller(pid))->number(); };
  const auto one = number(*first, 5000001), two = number(*first, 5000002);
  EXPECT_EQ(number(*first, 5000001), one);
  const auto three = number(*first, 5000003);  // in the place of the second
  EXPECT_THAT(first->all(), SizeIs(kCapacity));
  EXPECT_THAT(state.entries_below("containers/"), SizeIs(kCapacity));

  // What a state could hold twice is taken once.
  state.put("containers/77", state.value("containers/" + std::to_string(one))).value();
  const auto second = daemon();
  EXPECT_EQ(number(*second, 5000001), one);
  EXPECT_EQ(number(*second, 5000003), three);
  EXPECT_THAT(state.entries_below("containers/"), SizeIs(kCapacity));
  EXPECT_GT(number(*second, 5000002), two);
}

TEST_P(GoingOnTest, VisitorsWhoseCgroupsAreGoneAreForgotten) {
  Daemon daemon(machine, state);
  const pid_t pid = 5000001;
  ContainerNumber last = 0;
  for (std::size_t i = 0; i <= Visitors::kSomeAdded; ++i) {
    const auto cgroup = "/visitor" + std::to_string(i);
    machine.cgroups.create(cgroup);
    machine.process(pid, cgroup);
    last = (*daemon.registry.of_caller(pid))->number();
    // Two stay; that the last one is gone nobody has seen yet.
    if (i >= 2) machine.cgroups.remove(cgroup);
  }
  EXPECT_THAT(daemon.registry.all(), SizeIs(3));
  EXPECT_EQ(daemon.registry.all().front()->number(), last);
  EXPECT_THAT(state.entries_below("containers/"), SizeIs(3));
}

TEST_P(GoingOnTest, ADiskKeepsItsNumber) {
  {
    DiskNumbers first(&state);
    EXPECT_EQ(first.of(254, 0), 0);
    EXPECT_EQ(first.of(8, 0), 1);
  }
  DiskNumbers second(&state);
  EXPECT_EQ(second.of(8, 16), 2);
  EXPECT_EQ(second.of(8, 0), 1);
  EXPECT_EQ(second.of(254, 0), 0);
}

// Another version may have other files in another order. What the kernel knows of a container that runs on
// still means what it did, or nothing.
TEST_P(GoingOnTest, NodesOfAnotherVersionMeanWhatTheyDid) {
  ASSERT_THAT(state.put(Tree::kKept, "/\n*\n*/uptime\n*/gone\n*/meminfo\n//proc"), Succeeds());
  const auto indices = [&] {
    Daemon daemon(machine, state);
    if (daemon.registry.size() == 0) {
      EXPECT_THAT(daemon.registry.add(box()), Succeeds());
    }
    EXPECT_FALSE(daemon.tree.exists({daemon.registry.by_id("box")->number(), 0, 3}));
    std::vector<int> found;
    for (const auto* const path : {"uptime", "meminfo", "stat", "cpu/online"})
      found.push_back(at(daemon, path)->index);
    found.push_back(daemon.tree.resolve({}, "proc", 0)->index);
    return found;
  };
  const auto first = indices();
  EXPECT_EQ(first[0], 2);
  EXPECT_EQ(first[1], 4);
  EXPECT_GT(first[2], 5);
  EXPECT_EQ(first[4], 5);
  EXPECT_EQ(indices(), first);
}

// A predecessor may be killed between the first and the last of what it forgets.
TEST_P(GoingOnTest, CountersOfNobodyAreForgotten) {
  {
    Daemon first(machine, state);
    ASSERT_THAT(first.registry.add(box()), Succeeds());
    ASSERT_THAT(first.registry.by_id("box")->cpu(), Succeeds());
  }
  ASSERT_THAT(state.put("counters/77/cpu", "12345678"), Succeeds());
  Daemon second(machine, state);
  EXPECT_TRUE(state.entries_below("counters/77/").empty());
  EXPECT_FALSE(state.entries_below("counters/").empty());
}

TEST_P(GoingOnTest, ReadersGoOnWithTheTextTheyHaveBegun) {
  Daemon first(machine, state);
  ASSERT_THAT(first.registry.add(box()), Succeeds());
  const auto uptime = *at(first, "uptime");
  const OpenFiles::Handle begun{*first.files.open(uptime, 0), uptime},
      opened{*first.files.open(uptime, 0), uptime};
  const auto text = **first.files.text(begun, 0);

  machine.later();
  Daemon second(machine, state);
  EXPECT_EQ(**second.files.text(begun, 3), text);
  EXPECT_EQ(**second.files.text(begun, text.size()), text);
  EXPECT_NE(**second.files.text(begun, 0), text);  // it sought back
  EXPECT_EQ(**second.files.text(opened, 0), **second.files.text(begun, 0));
  EXPECT_NE(*second.files.open(uptime, 0), begun.number);
  second.files.release(begun.number);
  second.files.release(opened.number);
  EXPECT_TRUE(state.entries_below("open/").empty());
  EXPECT_THAT(second.files.text({4711, {77, 0, uptime.index}}, 0), FailsWith(ESTALE));
}

TEST_P(GoingOnTest, OneContainerThatKeepsFilesOpenCannotFillTheState) {
  auto small = std::move(*StateFile::create(1u << 20));
  Daemon first(machine, small);
  ASSERT_THAT(first.registry.add(box()), Succeeds());
  const auto meminfo = *at(first, "meminfo");
  std::vector<OpenFiles::Handle> open;
  for (std::size_t bytes = 0; bytes < (4u << 20);) {
    open.push_back({*first.files.open(meminfo, 0), meminfo});
    const auto text = first.files.text(open.back(), 0);
    ASSERT_THAT(text, Succeeds());
    bytes += (*text)->size();
  }
  machine.cgroups.create("/other");
  auto other = box();
  other.id = "other";
  other.cgroup_path = "/other";
  EXPECT_THAT(first.registry.add(other), Succeeds());

  // Those that found no room go on all the same.
  Daemon second(machine, small);
  EXPECT_FALSE((*second.files.text(open.front(), 10))->empty());
  EXPECT_FALSE((*second.files.text(open.back(), 10))->empty());
  for (const auto& handle : open) second.files.release(handle.number);
  EXPECT_TRUE(small.entries_below("open/").empty());
}

INSTANTIATE_TEST_SUITE_P(Layouts, GoingOnTest, ::testing::Values(Mode::legacy, Mode::hybrid, Mode::unified),
                         mode_name);

}  // namespace
}  // namespace nacre::procfs
