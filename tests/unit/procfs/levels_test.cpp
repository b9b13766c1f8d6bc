// SPDX-License-Identifier: Apache-2.0
// The rules of a container's limits over cgroup trees that nobody thought of: whatever the levels above it
// say, in all layouts, its view is what docs/procfs.md says.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>

#include "base/parse.h"
#include "procfs/view/cpu_count.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using cgroup::kUnlimited;
using test::Succeeds;

// In KiB, as FakeCgroup's machine has it.
constexpr std::uint64_t kTotal = 8u << 20, kFree = 4u << 20, kSwapTotal = 2u << 20;
constexpr unsigned kCpus = 4;

std::uint64_t less(std::uint64_t from, std::uint64_t amount) { return from > amount ? from - amount : 0; }

class LevelsTest : public ::testing::TestWithParam<cgroup::Mode> {
 protected:
  std::uint64_t below(std::uint64_t end) { return random() % end; }
  bool chance(std::uint64_t of) { return below(of) == 0; }

  // A level of the tree, and what it leaves of what is expected.
  void add_level(const std::string& path) {
    auto& cgroups = machine.cgroups;
    cgroups.create(path);
    const std::uint64_t limit = chance(3) ? kUnlimited : below(10u << 20) << 10;
    const std::uint64_t usage = below(6u << 20) << 10;
    cgroups.set_memory(path, limit, usage);
    if (limit != kUnlimited) {
      total = std::min(total, limit >> 10);
      free = std::min(free, less(std::min(limit, kTotal << 10), usage) >> 10);
    } else {
      free = std::min(free, less(kTotal << 10, usage) >> 10);
    }
    // v1 has no limit of swap without one of memory.
    if (limit != kUnlimited && chance(2)) {
      const std::uint64_t swap = below(3u << 20) << 10;
      cgroups.set_swap(path, swap, below(2u << 20) << 10);
      swap_total = std::min(swap_total, swap >> 10);
    }
    if (chance(2)) {
      const std::uint64_t period = 10'000 + below(500'000), quota = 1'000 + below(6 * period);
      cgroups.set_quota(path, quota, period);
      count = std::min(count, std::max<std::uint64_t>((quota + period - 1) / period, 1));
    }
  }

  void add_set(const std::string& path) {
    if (chance(2)) return;
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < kCpus + 2; ++cpu)
      if (chance(2)) cpus.push_back(cpu);
    std::set<unsigned> there;
    for (const auto cpu : cpus)
      if (cpu < kCpus) there.insert(cpu);
    if (there.empty()) return;
    machine.cgroups.set_cpuset(path, format_list(cpus));
    allowed = there;  // a deeper one's is the effective one
  }

  std::mt19937_64 random{2026};
  FakeMachine machine{GetParam(), kCpus};
  std::uint64_t total = kTotal, free = kFree, swap_total = kSwapTotal, count = kCpus;
  std::set<unsigned> allowed;
};

TEST_P(LevelsTest, TheLeastOfAllLevelsCountsAndNothingWraps) {
  for (int tree = 0; tree < 60; ++tree) {
    total = kTotal, free = kFree, swap_total = kSwapTotal, count = kCpus;
    allowed = {0, 1, 2, 3};
    std::string path;
    for (std::uint64_t depth = 1 + below(5); depth > 0; --depth) {
      path += "/t" + std::to_string(tree) + "-" + std::to_string(depth);
      add_level(path);
      add_set(path);
    }
    const auto container = machine.add("box", path);
    ASSERT_THAT(container, Succeeds());
    const auto memory = (*container)->memory();
    const auto cpu = (*container)->cpu();
    ASSERT_THAT(memory, Succeeds());
    ASSERT_THAT(cpu, Succeeds());

    EXPECT_EQ((*memory)->total, total) << path;
    EXPECT_EQ((*memory)->free, std::min(free, total)) << path;
    EXPECT_LE((*memory)->free, (*memory)->available);
    EXPECT_LE((*memory)->available, (*memory)->total);
    EXPECT_EQ((*memory)->swap_total, swap_total) << path;
    EXPECT_LE((*memory)->swap_free, (*memory)->swap_total);
    EXPECT_EQ((*cpu)->cpus.size(), std::min<std::uint64_t>(count, allowed.size())) << path;
    for (const auto number : (*cpu)->cpus) EXPECT_TRUE(allowed.contains(number)) << path;
    EXPECT_EQ((*cpu)->numbers, renumbered((*cpu)->cpus));
    machine.registry.remove("box");
  }
}

INSTANTIATE_TEST_SUITE_P(Layouts, LevelsTest,
                         ::testing::Values(cgroup::Mode::legacy, cgroup::Mode::hybrid, cgroup::Mode::unified),
                         mode_name);

}  // namespace
}  // namespace nacre::procfs
