// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/time.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "procfs/view/disk.h"
#include "procfs/view/load.h"
#include "tests/support/fake_clock.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;

TEST(TimeView, UptimeIsTheAgeOfInit) {
  test::FakeClock clock;
  const Birth birth{clock.boottime() - 90s, 0ns};
  const auto view = time_view(birth, clock);
  EXPECT_EQ(view.uptime, 90s);
  // Start times of processes are the host's, so btime is too: ps adds them.
  EXPECT_EQ(view.btime, (clock.realtime() - clock.boottime()) / 1s);
}

TEST(TimeView, WithATimeNamespaceBtimeIsTheContainersBirth) {
  test::FakeClock clock;
  const auto offset = -(clock.boottime() - 5s);  // the namespace's clock started 5 s ago
  const auto view = time_view({-offset, offset}, clock);
  EXPECT_EQ(view.uptime, 5s);
  EXPECT_EQ(view.btime, (clock.realtime() - 5s) / 1s);
  clock.advance(1h);
  EXPECT_EQ(time_view({-offset, offset}, clock).btime, view.btime);
  EXPECT_EQ(time_view({-offset, offset}, clock).uptime, 1h + 5s);
}

TEST(TimeView, ABirthInTheFutureIsNow) {
  test::FakeClock clock;
  EXPECT_EQ(time_view({clock.boottime() + 1s, 0ns}, clock).uptime, 0s);
}

TEST(Loads, ApproachASteadyLoadAndFallBack) {
  Loads loads{};
  for (int tick = 0; tick < 12; ++tick) loads = next_loads(loads, 1);
  // After one minute of load 1: 1 - 1/e.
  EXPECT_NEAR(static_cast<double>(loads[0]) / kLoadOne, 0.632, 0.01);
  EXPECT_GT(loads[0], loads[1]);
  EXPECT_GT(loads[1], loads[2]);
  for (int tick = 0; tick < 1000; ++tick) loads = next_loads(loads, 3);
  EXPECT_EQ(loads[0], 3 * kLoadOne);
  for (int tick = 0; tick < 3000; ++tick) loads = next_loads(loads, 0);
  EXPECT_EQ(loads[0], 0u);
}

cgroup::DeviceIo io(std::uint64_t reads, std::uint64_t bytes) {
  cgroup::DeviceIo device;
  device.major = 8;
  device.reads = reads;
  device.read_bytes = bytes;
  return device;
}

TEST(DiskCounters, OnlyGrow) {
  DiskCounters counters;
  EXPECT_EQ(counters.advance({io(10, 4096)}).at(0).reads, 10u);
  EXPECT_EQ(counters.advance({io(12, 8192)}).at(0).reads, 12u);
  EXPECT_EQ(counters.advance({}).at(0).reads, 12u);  // the device is away
  // On v1 what a cgroup below did goes with it: what is left had been counted.
  EXPECT_EQ(counters.advance({io(3, 1024)}).at(0).reads, 12u);
  EXPECT_EQ(counters.advance({io(4, 1024)}).at(0).reads, 13u);
  EXPECT_EQ(counters.advance({io(4, 2048)}).at(0).read_bytes, 9216u);
}

TEST(DiskCounters, DevicesWithoutActivityAreNotListed) {
  DiskCounters counters;
  EXPECT_TRUE(counters.advance({io(0, 0)}).empty());
}

}  // namespace
}  // namespace nacre::procfs
