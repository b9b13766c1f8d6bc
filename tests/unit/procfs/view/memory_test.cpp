// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace nacre::procfs {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kUnlimited = cgroup::kUnlimited;
// KiB: 8 GiB, half of it free; 2 GiB swap, half of it free.
const HostMemory kHost{8u << 20, 4u << 20, 6u << 20, 2u << 20, 1u << 20, 2048};

MemorySample sample_of(std::vector<MemoryLevel> levels, bool v2 = true) {
  MemorySample sample;
  sample.v2 = v2;
  sample.own = !levels.empty();
  sample.levels = std::move(levels);
  return sample;
}

TEST(MemoryView, TheSmallestLimitOnTheWayUpCounts) {
  const auto view = memory_view(
      sample_of({{512 * kMiB, 10 * kMiB}, {256 * kMiB, 20 * kMiB}, {kUnlimited, 30 * kMiB}}), kHost);
  EXPECT_EQ(view.total, 256u * 1024);
}

TEST(MemoryView, SiblingsTakeFromWhatIsFree) {
  // The container uses 10 MiB of its 512; its parent has 20 MiB left of 256.
  const auto view = memory_view(sample_of({{512 * kMiB, 10 * kMiB}, {256 * kMiB, 236 * kMiB}}), kHost);
  EXPECT_EQ(view.free, 20u * 1024);
}

TEST(MemoryView, UseAboveTheLimitIsNothingFree) {
  const auto view = memory_view(sample_of({{100 * kMiB, 120 * kMiB}}), kHost);
  EXPECT_EQ(view.free, 0u);
  EXPECT_EQ(view.total, 100u * 1024);
}

TEST(MemoryView, WithoutALimitTheMachineIsTheLimit) {
  const auto view = memory_view(sample_of({{kUnlimited, 1 * kMiB}}), kHost);
  EXPECT_EQ(view.total, kHost.total);
  EXPECT_EQ(view.free, kHost.free);
}

TEST(MemoryView, HugePagesAreThoseThatMayStillBeTaken) {
  auto sample = sample_of({{kUnlimited, 0}});
  sample.huge_pages = {{.name = "2MB",
                        .page = 2 * kMiB,
                        .total = 100 * 2 * kMiB,
                        .free = 30 * 2 * kMiB,
                        .levels = {{40 * 2 * kMiB, 5 * 2 * kMiB}, {kUnlimited, 90 * 2 * kMiB}}},
                       {.name = "1GB", .page = 1024 * kMiB, .total = 2048 * kMiB, .free = 0}};
  auto view = memory_view(sample, kHost);
  EXPECT_EQ(view.huge_pages_total, 40u);
  EXPECT_EQ(view.huge_pages_free, 10u);  // siblings have taken the rest of the machine's
  EXPECT_EQ(view.hugetlb, 80u * 1024 + 2048 * 1024);
  sample.huge_pages[0].levels = {{7 * 2 * kMiB, 8 * 2 * kMiB}};
  view = memory_view(sample, kHost);
  EXPECT_EQ(view.huge_pages_total, 7u);
  EXPECT_EQ(view.huge_pages_free, 0u);
}

TEST(MemoryView, CacheIsAvailable) {
  auto sample = sample_of({{256 * kMiB, 200 * kMiB}});
  sample.stat.file = 120 * kMiB;
  sample.stat.active_file = 60 * kMiB;
  sample.stat.inactive_file = 40 * kMiB;
  sample.stat.slab_reclaimable = 10 * kMiB;
  const auto view = memory_view(sample, kHost);
  EXPECT_EQ(view.free, 56u * 1024);
  EXPECT_EQ(view.available, (56u + 110) * 1024);
  EXPECT_EQ(view.cached, 120u * 1024);
}

TEST(MemoryView, AnOvercommittedMachineCannotPromiseMoreThanItHas) {
  HostMemory poor = kHost;
  poor.free = 10 * 1024;
  poor.available = 30 * 1024;
  auto sample = sample_of({{256 * kMiB, 100 * kMiB}});
  sample.stat.inactive_file = 90 * kMiB;
  const auto view = memory_view(sample, poor);
  EXPECT_EQ(view.free, 10u * 1024);
  EXPECT_EQ(view.available, 30u * 1024);
}

TEST(MemoryView, V2LimitsSwapByItself) {
  const auto view = memory_view(
      sample_of({{256 * kMiB, 0, 128 * kMiB, 28 * kMiB}, {kUnlimited, 0, 512 * kMiB, 500 * kMiB}}), kHost);
  EXPECT_EQ(view.swap_total, 128u * 1024);
  EXPECT_EQ(view.swap_free, 12u * 1024);  // the parent has no more
}

TEST(MemoryView, V1LimitsMemoryAndSwapTogether) {
  // 256 of memory, 384 of both: 128 of swap. 100 in memory, 130 of both: 30 swapped.
  const auto view = memory_view(sample_of({{256 * kMiB, 100 * kMiB, 384 * kMiB, 130 * kMiB}}, false), kHost);
  EXPECT_EQ(view.swap_total, 128u * 1024);
  EXPECT_EQ(view.swap_free, 98u * 1024);
}

TEST(MemoryView, OwnSwapShowsWithoutALimit) {
  HostMemory roomy = kHost;
  roomy.swap_free = roomy.swap_total;
  const auto view = memory_view(sample_of({{256 * kMiB, 0, kUnlimited, 28 * kMiB}}), roomy);
  EXPECT_EQ(view.swap_total, kHost.swap_total);
  EXPECT_EQ(view.swap_free, kHost.swap_total - 28 * 1024);
}

TEST(MemoryView, AMachineWithoutSwapHasNone) {
  HostMemory none = kHost;
  none.swap_total = none.swap_free = 0;
  const auto view = memory_view(sample_of({{256 * kMiB, 0, 128 * kMiB, 0}}), none);
  EXPECT_EQ(view.swap_total, 0u);
  EXPECT_EQ(view.swap_free, 0u);
}

TEST(MemoryView, TheSwapCacheIsBesideTheFileCache) {
  auto sample = sample_of({{256 * kMiB, 0}});
  sample.stat.file = 50 * kMiB;
  sample.stat.swapcached = 20 * kMiB;
  EXPECT_EQ(memory_view(sample, kHost).cached, 50u * 1024);
  EXPECT_EQ(memory_view(sample, kHost).file_pages, 70u * 1024);
}

TEST(MemoryView, WithoutAMemoryControllerOnlyTheLimitIsTheMachines) {
  const auto view = memory_view(MemorySample{}, kHost);
  EXPECT_EQ(view.total, kHost.total);
  EXPECT_EQ(view.cached, 0u);
  EXPECT_EQ(view.anon, 0u);
  EXPECT_EQ(view.slab, 0u);
}

// Whatever the counters say, and they are read one after the other, the view makes sense.
TEST(MemoryViewProperty, OrderHoldsForAnySample) {
  std::mt19937_64 random(20250101);
  const auto any = [&](std::uint64_t below) {
    return random() % 8 == 0 ? random() : random() % below;  // sometimes absurd
  };
  for (int round = 0; round < 20'000; ++round) {
    MemorySample sample;
    sample.v2 = random() % 2 == 0;
    sample.own = random() % 4 != 0;
    for (auto levels = random() % 4 + (sample.own ? 1 : 0); levels > 0; --levels) {
      MemoryLevel level{any(16ull << 30), any(16ull << 30), any(4ull << 30), any(20ull << 30)};
      if (random() % 3 == 0) level.limit = kUnlimited;
      if (random() % 3 == 0) level.swap_limit = kUnlimited;
      sample.levels.push_back(level);
    }
    for (auto* field :
         {&sample.stat.file, &sample.stat.shmem, &sample.stat.swapcached, &sample.stat.active_file,
          &sample.stat.inactive_file, &sample.stat.slab_reclaimable, &sample.stat.anon})
      *field = any(16ull << 30);
    const HostMemory host{any(1u << 24) % (1u << 30) + 1, any(1u << 24) % (1u << 30),
                          any(1u << 24) % (1u << 30),     any(1u << 22) % (1u << 30),
                          any(1u << 22) % (1u << 30),     2048};
    const auto view = memory_view(sample, host);
    ASSERT_LE(view.free, view.available);
    ASSERT_LE(view.available, view.total);
    ASSERT_LE(view.total, host.total);
    ASSERT_LE(view.free, host.free);
    ASSERT_LE(view.swap_free, view.swap_total);
    ASSERT_LE(view.swap_total, host.swap_total);
    ASSERT_LE(view.swap_free, host.swap_free);
    ASSERT_GE(view.cached, view.shmem);
    for (const auto& level : sample.levels) ASSERT_LE(view.total, level.limit / 1024);
  }
}

}  // namespace
}  // namespace nacre::procfs
