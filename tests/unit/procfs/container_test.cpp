// SPDX-License-Identifier: Apache-2.0
#include "procfs/container.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <thread>

#include "procfs/file_table.h"
#include "procfs/render/render.h"
#include "tests/support/golden.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
using cgroup::Mode;
using test::FailsWith;
using test::matches_golden;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kSecond = 1'000'000;

constexpr std::string_view kV2Stat =
    "anon 41943040\nfile 62914560\nkernel 9437184\nkernel_stack 131072\npagetables 262144\nsec_pagetables "
    "4096\npercpu 65536\n"
    "sock 0\nvmalloc 8192\nshmem 10485760\nzswap 1048576\nzswapped 4194304\nfile_mapped 20971520\nfile_dirty "
    "524288\n"
    "file_writeback 4096\nswapcached 1048576\nanon_thp 8388608\nfile_thp 2097152\nshmem_thp 0\ninactive_anon "
    "31457280\n"
    "active_anon 20971520\ninactive_file 33554432\nactive_file 16777216\nunevictable "
    "1048576\nslab_reclaimable 5242880\n"
    "slab_unreclaimable 3145728\nslab 8388608\nworkingset_refault_anon 5\npgfault 100\n"
    "pgmajfault 3\npswpin 1\n";
constexpr std::string_view kV1Stat =
    "cache 1\nrss 1\nmapped_file 1\ninactive_file 1\nhierarchical_memory_limit 268435456\ntotal_cache "
    "62914560\n"
    "total_rss 41943040\ntotal_rss_huge 8388608\ntotal_shmem 10485760\ntotal_mapped_file "
    "20971520\ntotal_dirty 524288\n"
    "total_writeback 4096\ntotal_swap 0\ntotal_swapcached 1048576\ntotal_inactive_anon "
    "31457280\ntotal_active_anon 20971520\n"
    "total_inactive_file 33554432\ntotal_active_file 16777216\ntotal_unevictable 1048576\n"
    "pgfault 1\ntotal_pgpgin 12345\ntotal_pgpgout 6789\ntotal_pgfault 100\ntotal_pgmajfault 3\n"
    "total_workingset_refault_anon 5\n";

class ContainerTest : public ::testing::TestWithParam<Mode> {
 protected:
  // 256 MiB and 1.5 CPUs below a parent of 1 GiB, and busy.
  ContainerRef busy_container() {
    auto& cgroups = machine.cgroups;
    cgroups.create("/nacre");
    cgroups.create("/nacre/box");
    cgroups.set_memory("/nacre", 1024 * kMiB, 300 * kMiB);
    cgroups.set_memory("/nacre/box", 256 * kMiB, 128 * kMiB);
    cgroups.set_swap("/nacre/box", 512 * kMiB, 16 * kMiB);
    cgroups.set_memory_stat("/nacre/box", cgroups.memory_v2() ? kV2Stat : kV1Stat);
    cgroups.set_huge_pages("/nacre", "2MB", 64 * kMiB, 24 * kMiB);
    cgroups.set_huge_pages("/nacre/box", "2MB", 32 * kMiB, 8 * kMiB);
    cgroups.set_quota("/nacre/box", 150'000);
    cgroups.set_cpuset("/nacre", "1-3");
    cgroups.set_io("/nacre/box", "254:0", 7, 3);
    std::filesystem::create_symlink("../../devices/virtual/block/vda",
                                    cgroups.root() + "/sys/dev/block/254:0");
    cgroups.write("/sys/devices/virtual/block/vda/size", "2097152\n");
    auto container = machine.add("box", "/nacre/box");
    EXPECT_THAT(container, Succeeds());
    machine.clock.advance(100s);
    cgroups.set_usage("/nacre/box", 20 * kSecond, 10 * kSecond, 4 * kSecond);
    cgroups.add_thread("/nacre/box", 4000, 'R', 1);
    cgroups.add_thread("/nacre/box", 4001, 'S', 2);
    cgroups.add_thread("/nacre/box", 4002, 'D', 3);
    return *container;
  }

  FakeMachine machine{GetParam()};
};

TEST_P(ContainerTest, EveryFileIsAsTheKernelWouldWriteIt) {
  const auto container = busy_container();
  const std::string folder = "procfs/" + std::string(cgroup::name_of(GetParam())) + "/";
  for (const auto& row : file_table()) {
    if (!row.path.starts_with("proc/")) continue;
    const auto text = row.render(*container, 0);
    ASSERT_THAT(text, Succeeds()) << row.path;
    EXPECT_TRUE(matches_golden(*text, folder + std::string(row.path.substr(5))));
  }
}

TEST_P(ContainerTest, AllFilesAgreeOnTheNumberOfCpus) {
  const auto container = busy_container();
  const auto view = container->cpu();
  ASSERT_THAT(view, Succeeds());
  EXPECT_THAT((*view)->numbers, ElementsAre(0, 1));
  EXPECT_THAT((*view)->cpus, ElementsAre(1, 2));  // the parent's set, the quota's number
  EXPECT_THAT((*view)->cpu_times, SizeIs(2));
  const auto host = container->host_cpuinfo();
  const auto cpuinfo = render_cpuinfo(**host, **view);
  EXPECT_THAT(cpuinfo, HasSubstr("processor\t: 0\nmodel name\t: CPU number 1\n"));
  EXPECT_THAT(cpuinfo, HasSubstr("processor\t: 1\nmodel name\t: CPU number 2\n"));
  EXPECT_THAT(cpuinfo, Not(HasSubstr("processor\t: 2")));
}

TEST_P(ContainerTest, ADisksFilesSayWhatDiskstatsSays) {
  const auto container = busy_container();
  const auto disks = *container->disks();
  ASSERT_THAT(*disks, SizeIs(1));
  ASSERT_TRUE(disks->front().number);
  const auto text = [&](std::string_view path) {
    return *std::ranges::find(file_table(), path, &FileRow::path)->render(*container, *disks->front().number);
  };
  EXPECT_EQ(text("sys/block/disk#/dev"), "254:0\n");
  EXPECT_EQ(text("sys/block/disk#/size"), "2097152\n");
  const auto words = [](std::string_view line) {
    const auto parts = split_blank(line);
    return std::vector<std::string>(parts.begin(), parts.end());
  };
  auto stat = words(text("sys/block/disk#/stat"));
  stat.insert(stat.begin(), {"254", "0", "vda"});
  EXPECT_EQ(stat, words(render_diskstats(*disks)));
}

TEST_P(ContainerTest, PhysicalNumbersAreTheMachinesEverywhere) {
  busy_container();
  const auto added = machine.registry.add(
      {.id = "pinned", .init = ::getpid(), .cgroup_path = "/nacre/box", .physical_cpus = true});
  ASSERT_THAT(added, Succeeds());
  const auto text = [&](std::string_view path, std::size_t cpu = 0) {
    return *std::ranges::find(file_table(), path, &FileRow::path)->render(**added, cpu);
  };
  EXPECT_EQ(text("sys/devices/system/cpu/online"), "1-2\n");
  EXPECT_EQ(text("sys/devices/system/cpu/possible"), "1-2\n");
  EXPECT_EQ(text("sys/devices/system/cpu/kernel_max"), "2\n");
  EXPECT_EQ(text("sys/devices/system/cpu/cpu#/topology/core_id", 2), "2\n");
  EXPECT_EQ(text("sys/devices/system/cpu/cpu#/topology/core_cpus", 2), "4\n");
  EXPECT_EQ(text("sys/devices/system/cpu/cpu#/topology/core_siblings", 2), "6\n");
  EXPECT_EQ(text("sys/devices/system/node/node0/cpulist"), "1-2\n");
  EXPECT_THAT(text("proc/cpuinfo"), AllOf(HasSubstr("processor\t: 1\nmodel name\t: CPU number 1\n"),
                                          HasSubstr("processor\t: 2\nmodel name\t: CPU number 2\n")));
  EXPECT_THAT(text("proc/stat"),
              AllOf(HasSubstr("\ncpu1 "), HasSubstr("\ncpu2 "), Not(HasSubstr("\ncpu0 "))));
  EXPECT_THAT(text("proc/interrupts"), HasSubstr(" CPU1       CPU2 "));
  const auto directory = machine.tree.resolve({}, "containers/pinned/cpu", 0);
  ASSERT_THAT(directory, Succeeds());
  EXPECT_THAT(machine.tree.lookup(*directory, "cpu2", 0), Succeeds());
  EXPECT_THAT(machine.tree.lookup(*directory, "cpu0", 0), FailsWith(ENOENT));
}

TEST_P(ContainerTest, IdleInUptimeIsThatOfTheSameCpus) {
  const auto container = busy_container();
  const auto view = *container->cpu();
  EXPECT_EQ(view->cpu_total.sum(), 2 * 100 * kSecond);
  // Pressure is v2's.
  const bool waits = GetParam() != Mode::legacy;
  EXPECT_EQ(view->cpu_total.iowait, waits ? 2 * kSecond : 0);
  EXPECT_EQ(view->cpu_total.idle, (200 - 30 - 4) * kSecond - view->cpu_total.iowait);
  EXPECT_EQ(render_uptime(*view), waits ? "100.00 164.00\n" : "100.00 166.00\n");
}

TEST_P(ContainerTest, OneInstantFeedsAllReaders) {
  const auto container = busy_container();
  const auto first = *container->memory();
  machine.cgroups.set_memory("/nacre/box", 64 * kMiB, 0);
  machine.clock.advance(Container::kLifetime / 2);
  EXPECT_EQ(*container->memory(), first);
  machine.clock.advance(Container::kLifetime);
  EXPECT_EQ((*container->memory())->total, 64u * 1024);
}

TEST_P(ContainerTest, WhatIsThrottledAboveIsALimit) {
  const auto container = busy_container();
  const auto& hierarchy = *machine.cgroups.hierarchies().of("memory");
  machine.cgroups.write(hierarchy.directory("/nacre").substr(machine.cgroups.root().size()) + "/memory.high",
                        "67108864\n");
  // It is v2's.
  EXPECT_EQ((*container->memory())->total, (machine.cgroups.memory_v2() ? 64u : 256u) * 1024);
}

TEST_P(ContainerTest, AFailureShowsTheLastViewAndNeverTheMachine) {
  const auto container = busy_container();
  const auto before = *container->cpu();
  machine.later();
  machine.cgroups.remove("/nacre/box");
  machine.files.close_below(machine.cgroups.root());  // a removed cgroup's files read ENODEV
  const auto after = container->cpu();
  ASSERT_THAT(after, Succeeds());
  EXPECT_EQ(*after, before);
}

TEST_P(ContainerTest, WithoutAnyViewAFailureIsAnError) {
  const auto container = busy_container();
  machine.cgroups.remove("/nacre/box");
  EXPECT_THAT(container->cpu(), FailsWith(ENOENT));
}

// The mounted part of a hierarchy begins with the container's own cgroup, as in a cgroup namespace.
TEST(ControllersThatComeAndGo, AreFollowedAtTheTop) {
  FakeMachine machine(Mode::unified);
  machine.cgroups.create("/");
  machine.process(5000001, "/");
  const auto container = machine.registry.of_caller(5000001);
  ASSERT_THAT(container, Succeeds());
  machine.cgroups.set_memory_stat("/", "file 8192\n");
  EXPECT_EQ((*(*container)->memory())->cached, 8u);
  std::filesystem::remove(machine.cgroups.hierarchies().v2()->mountpoint + "/memory.stat");
  machine.files.close_below(machine.cgroups.root());
  machine.later();
  EXPECT_EQ((*(*container)->memory())->cached, 8u);
  machine.cgroups.write("/sys/fs/cgroup/cgroup.controllers", "cpu\n");
  machine.later();
  EXPECT_EQ((*(*container)->memory())->cached, 0u);
}

// A v2 cgroup has a controller once those above hand it down, as systemd does when the first limit is set.
TEST(ControllersThatComeAndGo, AreFollowed) {
  FakeMachine machine(Mode::unified);
  auto& cgroups = machine.cgroups;
  const std::string mount = cgroups.hierarchies().v2()->mountpoint;
  for (const std::string path : {"/slice", "/slice/box", "/slice/other"}) {
    cgroups.create(path);
    for (const auto* file : {"memory.stat", "memory.max", "cpu.max", "cpuset.cpus.effective", "io.stat"})
      std::filesystem::remove(mount + path + "/" + file);
  }
  const auto box = machine.add("box", "/slice/box"), other = machine.add("other", "/slice/other");
  ASSERT_THAT(box, Succeeds());
  ASSERT_THAT(other, Succeeds());
  using Shown = std::pair<std::uint64_t, std::size_t>;  // MiB and CPUs
  const auto shown = [](const ContainerRef& container) {
    return Shown((*container->memory())->total >> 10, (*container->cpu())->cpus.size());
  };
  const auto limit = [&](const std::string& path, std::uint64_t memory, std::uint64_t quota) {
    cgroups.set_memory(path, memory, 0);
    cgroups.set_memory_stat(path, "");
    cgroups.set_quota(path, quota);
    machine.clock.advance(Container::kSearchAgain);
  };
  EXPECT_EQ(shown(*box), Shown(8192, 4));
  limit("/slice", 1024 * kMiB, 300'000);
  EXPECT_EQ(shown(*box), Shown(1024, 3));
  EXPECT_EQ(shown(*other), Shown(1024, 3));
  limit("/slice/box", 256 * kMiB, 100'000);
  EXPECT_EQ(shown(*box), Shown(256, 1));

  const auto faults = [&] { return (*(*box)->vm())->events.at("pgfault"); };
  cgroups.set_memory_stat("/slice/box", "pgfault 100\n");
  EXPECT_EQ(faults(), 100u);

  // The controllers go again, from the cgroup first.
  const auto lose = [&](const std::string& path) {
    for (const auto* file : {"memory.stat", "memory.max", "memory.current", "memory.swap.max", "cpu.max"})
      std::filesystem::remove(mount + path + "/" + file);
    machine.files.close_below(cgroups.root());
    machine.clock.advance(Container::kLifetime);
  };
  const std::string controllers = "/cgroup.controllers";
  cgroups.write("/sys/fs/cgroup/slice" + controllers, "cpu memory\n");
  // While they are said to be there it is a failure, as when the cgroup is being removed.
  cgroups.write("/sys/fs/cgroup/slice/box" + controllers, "cpu memory\n");
  lose("/slice/box");
  EXPECT_EQ(shown(*box), Shown(256, 1));
  cgroups.write("/sys/fs/cgroup/slice/box" + controllers, "\n");
  machine.clock.advance(Container::kLifetime);
  EXPECT_EQ(shown(*box), Shown(1024, 3));
  EXPECT_EQ(faults(), 100u);
  limit("/slice/box", 128 * kMiB, 100'000);
  EXPECT_EQ(shown(*box), Shown(128, 1));
  cgroups.set_memory_stat("/slice/box", "pgfault 3\n");
  EXPECT_EQ(faults(), 100u);

  // Cgroups that went away with their controllers still had those limits.
  machine.clock.advance(Container::kSearchAgain);
  cgroups.remove("/slice");
  machine.files.close_below(cgroups.root());
  EXPECT_EQ(shown(*box), Shown(128, 1));
  EXPECT_EQ(shown(*other), Shown(1024, 3));
}

TEST_P(ContainerTest, CountersNeverGoBackwards) {
  const auto container = busy_container();
  const auto before = *container->cpu();
  const auto disks_before = *container->disks();
  machine.later();
  machine.cgroups.set_usage("/nacre/box", 1 * kSecond, 1 * kSecond);
  machine.cgroups.set_io("/nacre/box", "254:0", 1, 1);
  const auto after = *container->cpu();
  EXPECT_GE(after->cpu_total.user, before->cpu_total.user);
  EXPECT_GE(after->cpu_total.system, before->cpu_total.system);
  EXPECT_GE(after->cpu_total.idle, before->cpu_total.idle);
  EXPECT_GE((*container->disks())->at(0).io.reads, disks_before->at(0).io.reads);
}

TEST_P(ContainerTest, ThreadsOfCgroupsBelowCount) {
  const auto container = busy_container();
  machine.cgroups.create("/nacre/box/inner");
  machine.cgroups.add_thread("/nacre/box/inner", 4100, 'R', 17);
  const auto tasks = container->tasks();
  ASSERT_THAT(tasks, Succeeds());
  EXPECT_EQ(tasks->total, 4u);
  EXPECT_EQ(tasks->running, 2u);
  EXPECT_EQ(tasks->blocked, 1u);
  EXPECT_EQ(tasks->newest.innermost, 17);
}

TEST_P(ContainerTest, KillsForLackOfMemoryInCgroupsBelowCountOnce) {
  const auto container = busy_container();
  machine.cgroups.create("/nacre/box/inner");  // with two of them, as every one
  const auto vm = container->vm();
  ASSERT_THAT(vm, Succeeds());
  // v2's memory.events has those below already.
  EXPECT_EQ((*vm)->events.at("oom_kill"), machine.cgroups.memory_v2() ? 2u : 4u);
}

TEST_P(ContainerTest, TheNewestThreadIsAnotherOneWhenItsNumberIsUsedAgain) {
  const auto container = busy_container();
  const auto newest = [&] {
    machine.later();
    return container->tasks()->newest.innermost;
  };
  ASSERT_EQ(newest(), 3);
  const auto is_now = [&](int start, int inner) {
    machine.cgroups.write("/proc/4002/stat", "4002 (a name) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " +
                                                 std::to_string(start) + " 0\n");
    machine.cgroups.write("/proc/4002/status", "NSpid:\t4002\t" + std::to_string(inner) + "\n");
  };
  is_now(600, 8);
  EXPECT_EQ(newest(), 8);
  EXPECT_EQ(container->forks(), 8u);
  // The same thread keeps its number: nobody asks for it.
  is_now(600, 9);
  EXPECT_EQ(newest(), 8);
}

TEST_P(ContainerTest, TheNewestOfTooManyThreadsToLookAtIsAskedEachTime) {
  const auto container = busy_container();
  std::string threads;
  for (int thread = 4000; thread <= 4000 + static_cast<int>(kTaskBudget); ++thread) {
    const auto number = std::to_string(thread);
    threads += number + "\n";
    machine.cgroups.write("/proc/" + number + "/stat",
                          number + " (a name) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0\n");
  }
  const auto newest = std::to_string(4000 + kTaskBudget);
  const auto shown = [&](int inner) {
    machine.cgroups.write("/proc/" + newest + "/status",
                          "NSpid:\t" + newest + "\t" + std::to_string(inner) + "\n");
    machine.later();
    return container->tasks()->newest.innermost;
  };
  const auto places = container->places();
  const auto list = places->tasks + (places->tasks_v2 ? "/cgroup.threads" : "/tasks");
  machine.cgroups.write(list.substr(machine.cgroups.root().size()), threads);
  EXPECT_EQ(shown(11), 11);
  EXPECT_EQ(shown(12), 12);
}

TEST_P(ContainerTest, SwapMattersWhereTheMachineHasAny) {
  const auto container = busy_container();
  const auto& places = *container->places()->memory;
  const std::string limit = places.own + (places.v2 ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes");
  const auto put = [&](std::string_view swap_total, const std::string& text) {
    machine.cgroups.write("/proc/meminfo", "MemTotal: 8388608 kB\nSwapTotal: " + std::string(swap_total) +
                                               " kB\nSwapFree: 1048576 kB\n");
    machine.cgroups.write(limit.substr(machine.cgroups.root().size()), text);
    machine.later();
    return container->memory();
  };
  const auto without = put("0", "nonsense");
  ASSERT_THAT(without, Succeeds());
  EXPECT_EQ((*without)->swap_total, 0u);
  const auto with = put("2097152", std::to_string((places.v2 ? 64 : 256 + 64) * kMiB));
  ASSERT_THAT(with, Succeeds());
  EXPECT_EQ((*with)->swap_total, 64u * 1024);
}

TEST_P(ContainerTest, TheFileSystemServersOfAContainerAreNotItsProcesses) {
  auto& cgroups = machine.cgroups;
  for (const char* path : {"/nacre", "/nacre/box", "/nacre/box/payload", "/nacre/box/fs"})
    cgroups.create(path);
  cgroups.add_thread("/nacre/box/fs", 5000, 'R', 5000);
  cgroups.add_thread("/nacre/box/payload", 5001, 'S', 1);
  const auto container = machine.add("box", "/nacre/box");
  ASSERT_THAT(container, Succeeds());
  EXPECT_EQ((*container)->tasks()->total, 1u);
  EXPECT_EQ((*container)->tasks()->running, 0u);
}

TEST_P(ContainerTest, LoadFollowsRunningAndBlockedThreads) {
  const auto container = busy_container();
  const auto text = [&] { return render_loadavg(*container->loads(), *container->tasks()); };
  // One runs and one is blocked, for 100 seconds as it seems, or only of late as the pressure says.
  EXPECT_THAT(text(), StartsWith(GetParam() == Mode::legacy ? "1.63 0.57 0.21 " : "0.22 0.00 0.00 "));
  for (int tick = 0; tick < 1000; ++tick) {
    machine.clock.advance(kLoadTick);
    EXPECT_TRUE(container->tick_loads());
    if (tick % 100 == 0) {
      EXPECT_THAT(container->loads(), Succeeds());
    }
  }
  EXPECT_THAT(text(), StartsWith("2.00 2.00 2.00 "));
}

TEST_P(ContainerTest, LoadIsFollowedForAsLongAsItIsRead) {
  const auto container = busy_container();
  ASSERT_THAT(container->loads(), Succeeds());
  machine.clock.advance(FollowedLoad::kFollowed - 1s);
  EXPECT_TRUE(container->tick_loads());
  machine.clock.advance(2s);
  EXPECT_FALSE(container->tick_loads());
}

TEST_P(ContainerTest, ManyReadersSeeWholeViewsAndMonotonicCounters) {
  const auto container = busy_container();
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!stop) {
        const auto view = container->cpu();
        if (!view || (*view)->cpu_total.sum() < last) ++wrong;
        if (view) last = (*view)->cpu_total.sum();
        if (!container->tasks()) ++wrong;
      }
    });
  for (int i = 0; i < 200; ++i) {
    machine.clock.advance(30ms);
    std::this_thread::yield();
    static_cast<void>(container->cpu());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Layouts, ContainerTest, ::testing::Values(Mode::legacy, Mode::hybrid, Mode::unified),
                         mode_name);

}  // namespace
}  // namespace nacre::procfs
