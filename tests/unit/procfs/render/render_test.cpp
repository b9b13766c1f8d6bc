// SPDX-License-Identifier: Apache-2.0
#include "procfs/render/render.h"

#include <gmock/gmock.h>

#include "procfs/view/cpu_count.h"

namespace nacre::procfs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(RenderMeminfo, TheFirstLinesAndTheColumnsAreTheKernels) {
  MemoryView view;
  view.total = 262144;
  view.free = 1;
  view.available = 123456789;
  EXPECT_THAT(render_meminfo(view), StartsWith("MemTotal:         262144 kB\n"
                                               "MemFree:               1 kB\n"
                                               "MemAvailable:   123456789 kB\n"
                                               "Buffers:               0 kB\n"));
  EXPECT_THAT(render_meminfo(view), HasSubstr("\nInactive(file):        0 kB\n"));
  EXPECT_THAT(render_meminfo(view), HasSubstr("\nHugePages_Total:       0\n"));
  EXPECT_LT(render_meminfo(view).size(), 4096u);  // libuv reads one page
}

TEST(RenderSwaps, TheHeaderAloneMeansNoSwap) {
  MemoryView view;
  EXPECT_EQ(render_swaps(view), "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
  view.swap_total = 1000;
  view.swap_free = 400;
  EXPECT_THAT(render_swaps(view), HasSubstr("virtual\t\t1000\t\t600\t\t0\n"));
}

TEST(RenderLoadavg, FixedPointWithTwoDigits) {
  TaskCounts tasks{.total = 5, .running = 1, .blocked = 0, .newest = {.innermost = 42}};
  EXPECT_EQ(render_loadavg({0, 1024, 2048 * 3 + 20}, tasks), "0.00 0.50 3.01 2/5 42\n");
  // The reader is a thread of the container too: never more than there are.
  tasks.running = 5;
  EXPECT_EQ(render_loadavg({0, 0, 0}, tasks), "0.00 0.00 0.00 5/5 42\n");
  EXPECT_EQ(render_loadavg({0, 0, 0}, {}), "0.00 0.00 0.00 1/1 0\n");
}

TEST(RenderUptime, BothNumbersHaveTwoDigits) {
  CpuView view;
  view.time.uptime = std::chrono::milliseconds(61'059);
  view.cpu_total.idle = 7'990'000;
  EXPECT_EQ(render_uptime(view), "61.05 7.99\n");
}

TEST(RenderCpuinfo, WhatDependsOnNumberingIsRenumbered) {
  constexpr std::string_view kHost =
      "processor\t: 0\ncore id\t\t: 0\n\nprocessor\t: 3\nphysical id\t: 1\nsiblings\t: 64\ncore id\t\t: "
      "9\ncpu cores\t: 32\n"
      "apicid\t\t: 77\ninitial apicid\t: 77\nflags\t\t: a b\n\nHardware\t: board\n\n";
  CpuView view;
  view.cpus = {3};
  view.numbers = {0};
  EXPECT_EQ(render_cpuinfo(kHost, view),
            "processor\t: 0\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n"
            "apicid\t\t: 0\ninitial apicid\t: 0\nflags\t\t: a b\n\nHardware\t: board\n\n");
  EXPECT_EQ(render_cpuinfo("", view), "");
  view.numbers = {3};
  EXPECT_THAT(render_cpuinfo(kHost, view),
              StartsWith("processor\t: 3\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 3\n"));
}

TEST(RenderPartitions, AreTheDisksOfTheContainer) {
  EXPECT_EQ(render_partitions({}), "major minor  #blocks  name\n\n");
  EXPECT_EQ(render_partitions({{.name = "vda", .sectors = 2097152, .io = {.major = 254, .minor = 0}}}),
            "major minor  #blocks  name\n\n 254        0    1048576 vda\n");
}

TEST(RenderIrqs, HaveAColumnForEachCpuAndNothingOfTheMachine) {
  EXPECT_EQ(render_interrupts({0, 1}), "           CPU0       CPU1       \n");
  EXPECT_THAT(render_softirqs({0, 1}),
              StartsWith("                    CPU0       CPU1       \n          HI:          0          0\n"
                         "       TIMER:          0          0\n"));
}

TEST(RenderPressure, WithoutASourceNothingWaits) {
  EXPECT_EQ(
      render_no_pressure("memory"),
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  EXPECT_EQ(render_no_pressure("irq"), "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

TEST(RenderNode, MemoryAddsUp) {
  MemoryView view;
  view.total = 262144;
  view.free = 62144;
  EXPECT_THAT(render_node_meminfo(view), StartsWith("Node 0 MemTotal:         262144 kB\n"
                                                    "Node 0 MemFree:           62144 kB\n"
                                                    "Node 0 MemUsed:          200000 kB\n"
                                                    "Node 0 SwapCached:            0 kB\n"));
  EXPECT_THAT(render_node_meminfo(view), HasSubstr("Node 0 HugePages_Total:     0\n"));
}

TEST(RenderVmstat, HasTheMachinesNamesAndTheContainersValues) {
  MemoryView memory;
  memory.free = 400;
  memory.anon_huge = 8192;
  memory.transparent_huge_page = 2048;
  const DiskViews disks{{.name = "vda", .sectors = 0, .io = {.read_bytes = 8192, .write_bytes = 1024}}};
  const VmSample vm{{{"pgfault", 7}}};
  EXPECT_EQ(
      render_vmstat(VmstatNames({"nr_anon_transparent_hugepages", "pgfault", "pgpgin", "pgpgout", "unknown"}),
                    vm, memory, disks),
      "nr_anon_transparent_hugepages 4\npgfault 7\npgpgin 8\npgpgout 1\nunknown 0\n");
}

TEST(RenderMask, HasACommaEvery32Bits) {
  const auto first = [](std::size_t count) { return renumbered(std::vector<unsigned>(count)); };
  EXPECT_EQ(render_cpu_mask(1, {0}), "1\n");
  EXPECT_EQ(render_cpu_mask(6, {4}), "10\n");
  EXPECT_EQ(render_cpu_mask(32, first(32)), "ffffffff\n");
  EXPECT_EQ(render_cpu_mask(40, first(40)), "ff,ffffffff\n");
  EXPECT_EQ(render_cpu_mask(65, {64}), "1,00000000,00000000\n");
  EXPECT_EQ(render_cpu_list(first(1)), "0\n");
  EXPECT_EQ(render_cpu_list({1, 3, 4, 5}), "1,3-5\n");
}

TEST(RenderStat, AReaderRuns) {
  CpuView view;
  view.cpu_times = {{.user = 1'230'000, .nice = 0, .system = 20'000, .idle = 9'999, .steal = 30'000}};
  view.numbers = {0};
  view.cpu_total = view.cpu_times[0];
  view.time.btime = 1234;
  const auto text =
      render_stat(view, {.total = 3, .running = 1, .blocked = 2, .newest = {.innermost = 9}}, 77);
  EXPECT_THAT(text, StartsWith("cpu  123 0 2 0 0 0 0 3 0 0\ncpu0 123 0 2 0 0 0 0 3 0 0\nintr 0\n"));
  EXPECT_THAT(text, HasSubstr("\nbtime 1234\nprocesses 77\nprocs_running 2\nprocs_blocked 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("cpu1")));
}

}  // namespace
}  // namespace nacre::procfs
