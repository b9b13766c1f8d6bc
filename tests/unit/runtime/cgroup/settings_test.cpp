// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/settings.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <map>

#include "runtime/cgroup/convert.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime {
namespace {

using test::FailsSaying;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A machine given by which controllers it has on v2, which on v1, and the files that matter.
struct Machine {
  std::vector<std::string> v1, v2;
  std::map<std::string, std::string> files;

  CgroupFacts facts() const {
    const auto has = [](const auto& list, std::string_view name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    return {.on_v2 = [this, has](std::string_view name) -> std::optional<bool> {
              if (has(v1, name)) return false;
              if (has(v2, name) || (name.empty() && !v2.empty())) return true;
              return std::nullopt;
            },
            .read = [this](std::string_view, std::string_view file) -> std::optional<std::string> {
              const auto found = files.find(std::string(file));
              return found == files.end() ? std::nullopt : std::optional(found->second);
            }};
  }
};

const Machine kV1{{"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb"},
                  {},
                  {{"memory.memsw.limit_in_bytes", "9223372036854771712"}, {"blkio.bfq.weight", "100"}}};
const Machine kV2{
    {},
    {"cpu", "cpuset", "memory", "pids", "io", "hugetlb"},
    {{"memory.swap.max", "max"}, {"memory.max", "max"}, {"cpu.max", "20000 100000"}, {"io.weight", "100"}}};
const Machine kHybrid{{"cpu", "cpuset", "memory", "pids", "blkio"}, {"hugetlb"}, kV1.files};

// "memory.max=1000" for each write, in order.
std::vector<std::string> writes(const Machine& machine, const spec::Resources& resources) {
  const auto settings = settings_for(resources, machine.facts());
  EXPECT_THAT(settings, Succeeds());
  std::vector<std::string> result;
  if (settings)
    for (const auto& setting : *settings) result.push_back(setting.file + "=" + setting.value);
  return result;
}

Result<std::vector<Setting>> settings(const Machine& machine, const spec::Resources& resources) {
  return settings_for(resources, machine.facts());
}

spec::Resources memory(std::optional<std::int64_t> limit, std::optional<std::int64_t> swap = {}) {
  spec::Resources resources;
  resources.memory.limit = limit;
  resources.memory.swap = swap;
  return resources;
}

constexpr std::int64_t kMiB = 1 << 20;

TEST(SettingsTest, NothingAskedIsNothingWritten) {
  for (const auto& machine : {kV1, kV2, kHybrid, Machine{}}) EXPECT_THAT(writes(machine, {}), IsEmpty());
}

TEST(MemorySettingsTest, V1NeverHasALimitAboveMemoryAndSwap) {
  Machine machine = kV1;
  EXPECT_THAT(writes(machine, memory(256 * kMiB, 512 * kMiB)),
              ElementsAre("memory.limit_in_bytes=268435456", "memory.memsw.limit_in_bytes=536870912"))
      << "from no limit down";
  machine.files["memory.memsw.limit_in_bytes"] = std::to_string(100 * kMiB);
  EXPECT_THAT(writes(machine, memory(256 * kMiB, 512 * kMiB)),
              ElementsAre("memory.memsw.limit_in_bytes=536870912", "memory.limit_in_bytes=268435456"))
      << "from a low limit up";
  EXPECT_THAT(writes(machine, memory(-1)),
              ElementsAre("memory.memsw.limit_in_bytes=-1", "memory.limit_in_bytes=-1"));
}

TEST(MemorySettingsTest, V2LimitsSwapAlone) {
  EXPECT_THAT(writes(kV2, memory(256 * kMiB, 512 * kMiB)),
              ElementsAre("memory.max=268435456", "memory.swap.max=268435456"));
  EXPECT_THAT(writes(kV2, memory(256 * kMiB, 256 * kMiB)),
              ElementsAre("memory.max=268435456", "memory.swap.max=0"));
  EXPECT_THAT(writes(kV2, memory(256 * kMiB, -1)),
              ElementsAre("memory.max=268435456", "memory.swap.max=max"));
  EXPECT_THAT(writes(kV2, memory(-1)), ElementsAre("memory.max=max"));
  EXPECT_THAT(settings(kV2, memory({}, 512 * kMiB)), FailsSaying("needs a memory limit"));
  Machine limited = kV2;
  limited.files["memory.max"] = std::to_string(256 * kMiB);
  EXPECT_THAT(writes(limited, memory({}, 512 * kMiB)), ElementsAre("memory.swap.max=268435456"));
}

TEST(MemorySettingsTest, AKernelThatDoesNotCountSwapIsNamedOnlyWhenItMatters) {
  for (auto machine : {kV1, kV2}) {
    machine.files.clear();
    EXPECT_THAT(settings(machine, memory(256 * kMiB)), Succeeds());
    EXPECT_THAT(settings(machine, memory(256 * kMiB, -1)), Succeeds());
    EXPECT_THAT(settings(machine, memory(256 * kMiB, 256 * kMiB)), FailsSaying("swapaccount=1"));
    EXPECT_EQ(writes(machine, memory(256 * kMiB, 512 * kMiB)), writes(machine, memory(256 * kMiB)))
        << "twice the memory is what engines add by themselves";
  }
}

TEST(MemorySettingsTest, NonsenseIsNamed) {
  for (const auto& machine : {kV1, kV2}) {
    EXPECT_THAT(settings(machine, memory(1)), FailsSaying("memory limit 1: too small"));
    EXPECT_THAT(settings(machine, memory(512 * kMiB, 256 * kMiB)), FailsSaying("less than the memory limit"));
    EXPECT_THAT(settings(machine, memory(-1, 256 * kMiB)), FailsSaying("less than the memory limit"));
    EXPECT_THAT(writes(machine, memory(0, 0)), IsEmpty()) << "what engines write for \"not asked\"";
  }
  EXPECT_THAT(settings(Machine{}, memory(256 * kMiB)), FailsSaying("controller \"memory\" is not available"));
  EXPECT_THAT(settings(Machine{}, memory(-1, -1)), Succeeds());
}

TEST(MemorySettingsTest, TheRest) {
  spec::Resources resources;
  resources.memory.reservation = 64 * kMiB;
  EXPECT_THAT(writes(kV1, resources), ElementsAre("memory.soft_limit_in_bytes=67108864"));
  EXPECT_THAT(writes(kV2, resources), ElementsAre("memory.low=67108864"));
  resources = {};
  resources.memory.swappiness = 10;
  resources.memory.disable_oom_killer = true;
  EXPECT_THAT(writes(kV1, resources), ElementsAre("memory.swappiness=10", "memory.oom_control=1"));
  EXPECT_THAT(settings(kV2, resources), FailsSaying("swappiness 10: cgroup v2 has no swappiness"));
  resources.memory.swappiness = 101;
  EXPECT_THAT(settings(kV1, resources), FailsSaying("0 to 100"));
  resources.memory.swappiness.reset();
  EXPECT_THAT(settings(kV2, resources), FailsSaying("OOM killer"));
  resources.memory.disable_oom_killer = false;
  EXPECT_THAT(writes(kV2, resources), IsEmpty());
}

TEST(CpuSettingsTest, QuotaPeriodAndBurst) {
  spec::Resources resources;
  resources.cpu.quota = 150000;
  resources.cpu.period = 100000;
  resources.cpu.burst = 5000;
  EXPECT_THAT(writes(kV1, resources),
              ElementsAre("cpu.cfs_period_us=100000", "cpu.cfs_quota_us=150000", "cpu.cfs_burst_us=5000"));
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cpu.max=150000 100000", "cpu.max.burst=5000"));
  resources = {};
  resources.cpu.quota = 50000;
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cpu.max=50000")) << "which keeps the period";
  resources = {};
  resources.cpu.period = 50000;
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cpu.max=20000 50000")) << "which keeps the quota";
  resources = {};
  resources.cpu.quota = -1;
  EXPECT_THAT(writes(kV1, resources), ElementsAre("cpu.cfs_quota_us=-1"));
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cpu.max=max"));
  EXPECT_THAT(settings(Machine{}, resources), Succeeds());
}

TEST(CpuSettingsTest, SharesAndIdle) {
  spec::Resources resources;
  resources.cpu.shares = 1024;
  resources.cpu.idle = 1;
  EXPECT_THAT(writes(kV1, resources), ElementsAre("cpu.shares=1024", "cpu.idle=1"));
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cpu.weight=100", "cpu.idle=1"));
  resources.cpu.idle = 0;
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cpu.idle=0", "cpu.weight=100"));
  EXPECT_THAT(settings(Machine{}, resources), FailsSaying("cpu shares 1024"));
}

TEST(ConvertTest, SharesMeetWeightsAtBothEndsAndInTheMiddle) {
  EXPECT_EQ(convert::weight_of_shares(0), 1u);
  EXPECT_EQ(convert::weight_of_shares(2), 1u);
  EXPECT_EQ(convert::weight_of_shares(1024), 100u);
  EXPECT_EQ(convert::weight_of_shares(262144), 10000u);
  EXPECT_EQ(convert::weight_of_shares(1 << 30), 10000u);
  std::uint64_t last = 0;
  for (std::uint64_t shares = 2; shares <= 262144; shares += 7) {
    const auto weight = convert::weight_of_shares(shares);
    EXPECT_GE(weight, last) << shares;
    EXPECT_LE(weight, 10000u) << shares;
    last = weight;
  }
  EXPECT_EQ(convert::io_weight(10), 1u);
  EXPECT_EQ(convert::io_weight(1000), 10000u);
}

TEST(OtherSettingsTest, CpusetAndPids) {
  spec::Resources resources;
  resources.cpu.cpus = "0-1";
  resources.cpu.mems = "0";
  resources.pids_limit = 64;
  for (const auto& machine : {kV1, kV2, kHybrid})
    EXPECT_THAT(writes(machine, resources), ElementsAre("cpuset.cpus=0-1", "cpuset.mems=0", "pids.max=64"));
  EXPECT_THAT(settings(Machine{}, resources), FailsSaying("cpuset cpus 0-1"));
  for (const std::int64_t unlimited : {0, -1}) {
    resources = {};
    resources.pids_limit = unlimited;
    EXPECT_THAT(writes(kV2, resources), ElementsAre("pids.max=max"));
    EXPECT_THAT(settings(Machine{}, resources), Succeeds());
  }
}

TEST(OtherSettingsTest, BlockIo) {
  spec::Resources resources;
  resources.block_io.read_bps = {{8, 0, 1048576}};
  resources.block_io.write_iops = {{8, 16, 0}};
  EXPECT_THAT(writes(kV1, resources), ElementsAre("blkio.throttle.read_bps_device=8:0 1048576",
                                                  "blkio.throttle.write_iops_device=8:16 0"));
  EXPECT_THAT(writes(kV2, resources), ElementsAre("io.max=8:0 rbps=1048576", "io.max=8:16 wiops=max"));
  resources = {};
  resources.block_io.weight = 500;
  EXPECT_THAT(writes(kV1, resources), ElementsAre("blkio.bfq.weight=500"));
  EXPECT_THAT(writes(kV2, resources), ElementsAre("io.weight=4950"));
  Machine bfq = kV2;
  bfq.files["io.bfq.weight"] = "100";
  EXPECT_THAT(writes(bfq, resources), ElementsAre("io.bfq.weight=500"));
  Machine none = kV1;
  none.files.clear();
  EXPECT_THAT(settings(none, resources), FailsSaying("no I/O scheduler with weights"));
  resources.block_io.weight = 5;
  EXPECT_THAT(settings(kV1, resources), FailsSaying("10 to 1000"));
  EXPECT_THAT(settings(Machine{}, resources), FailsSaying("controller \"io\""));
}

TEST(OtherSettingsTest, HugePagesWhereverTheControllerIs) {
  spec::Resources resources;
  resources.hugepage_limits = {{"2MB", 4194304}};
  EXPECT_THAT(writes(kV1, resources),
              ElementsAre("hugetlb.2MB.limit_in_bytes=4194304", "hugetlb.2MB.rsvd.limit_in_bytes=4194304"));
  for (const auto& machine : {kV2, kHybrid})
    EXPECT_THAT(writes(machine, resources),
                ElementsAre("hugetlb.2MB.max=4194304", "hugetlb.2MB.rsvd.max=4194304"));
  resources.hugepage_limits = {{"../../x", 1}};
  EXPECT_THAT(settings(kV1, resources), FailsSaying("page size"));
}

TEST(OtherSettingsTest, UnifiedFilesAreV2sOwn) {
  spec::Resources resources;
  resources.unified = {{"memory.high", "100"}};
  EXPECT_THAT(writes(kV2, resources), ElementsAre("memory.high=100"));
  EXPECT_THAT(settings(kHybrid, resources), FailsSaying("not on cgroup v2"));
  resources.unified = {{"hugetlb.2MB.max", "0"}};
  EXPECT_THAT(writes(kHybrid, resources), ElementsAre("hugetlb.2MB.max=0"));
  resources.unified = {{"cgroup.max.depth", "3"}};
  EXPECT_THAT(writes(kV2, resources), ElementsAre("cgroup.max.depth=3"));
  for (const auto* name : {"../memory.max", "memory", ".max", ""}) {
    resources.unified = {{name, "1"}};
    EXPECT_THAT(settings(kV2, resources), FailsSaying("unified setting")) << name;
  }
}

}  // namespace
}  // namespace nacre::runtime
