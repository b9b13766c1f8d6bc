// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/memory.h"

#include <algorithm>

#include "procfs/view/arithmetic.h"

namespace nacre::procfs {
namespace {

constexpr std::uint64_t kUnlimited = cgroup::kUnlimited;

std::uint64_t kib(std::uint64_t bytes) { return bytes / 1024; }

struct Capacity {
  std::uint64_t total;
  std::uint64_t free;
};

// Bytes; starts from what the machine has and narrows level by level.
Capacity memory_capacity(const MemorySample& sample, const HostMemory& host) {
  Capacity capacity{host.total * 1024, host.free * 1024};
  for (const auto& level : sample.levels) {
    const auto limit = std::min(level.limit, host.total * 1024);
    capacity.total = std::min(capacity.total, limit);
    capacity.free = std::min(capacity.free, saturating_sub(limit, level.usage));
  }
  // A container without a limit under busy siblings: free is what the machine has free.
  capacity.free = std::min(capacity.free, capacity.total);
  return capacity;
}

// v1 limits memory and swap together: what is above the memory limit can only be swap.
Capacity swap_of(const MemoryLevel& level, bool v2) {
  if (level.swap_limit == kUnlimited) return {kUnlimited, kUnlimited};
  if (v2) return {level.swap_limit, saturating_sub(level.swap_limit, level.swap_usage)};
  if (level.limit == kUnlimited) return {kUnlimited, kUnlimited};
  const auto limit = saturating_sub(level.swap_limit, level.limit);
  return {limit, saturating_sub(limit, saturating_sub(level.swap_usage, level.usage))};
}

Capacity swap_capacity(const MemorySample& sample, const HostMemory& host) {
  Capacity capacity{host.swap_total * 1024, host.swap_free * 1024};
  for (const auto& level : sample.levels) {
    const auto swap = swap_of(level, sample.v2);
    capacity.total = std::min(capacity.total, swap.total);
    capacity.free = std::min(capacity.free, swap.free);
  }
  if (!sample.own) return {capacity.total, std::min(capacity.free, capacity.total)};
  // Without a limit of its own, the container's own use still shows.
  const auto& own = sample.levels.front();
  const auto used = sample.v2 ? own.swap_usage : saturating_sub(own.swap_usage, own.usage);
  capacity.free = std::min(capacity.free, saturating_sub(capacity.total, used));
  return capacity;
}

// What the kernel could give back at once: the file cache and reclaimable slab.
std::uint64_t available(const Capacity& memory, const MemoryStat& stat, const HostMemory& host) {
  const auto reclaimable =
      saturating_add(saturating_add(stat.active_file, stat.inactive_file), stat.slab_reclaimable);
  const auto wanted =
      std::min({saturating_add(memory.free, reclaimable), memory.total, host.available * 1024});
  return std::max(memory.free, wanted);
}

// Pages are the machine's to give: a container has those that it may still take, never others.
Capacity huge_page_capacity(const HugePagePool& pool) {
  Capacity capacity{pool.total, pool.free};
  for (const auto& level : pool.levels) {
    const auto limit = std::min(level.limit, pool.total);
    capacity.total = std::min(capacity.total, limit);
    capacity.free = std::min(capacity.free, saturating_sub(limit, level.usage));
  }
  capacity.free = std::min(capacity.free, capacity.total);
  return capacity;
}

void fill_huge_pages(const std::vector<HugePagePool>& pools, MemoryView& view) {
  for (const auto& pool : pools) {
    const auto capacity = huge_page_capacity(pool);
    view.hugetlb = saturating_add(view.hugetlb, kib(capacity.total));
    if (kib(pool.page) != view.huge_page_size) continue;
    view.huge_pages_total = capacity.total / pool.page;
    view.huge_pages_free = capacity.free / pool.page;
  }
}

void fill_from_stat(const MemoryStat& stat, MemoryView& view) {
  view.swap_cached = kib(stat.swapcached);
  // A cgroup's file cache is counted without the swap cache, the machine's with it (mm/swap_state.c).
  view.file_pages = kib(saturating_add(stat.file, stat.swapcached));
  view.shmem = kib(stat.shmem);
  view.cached = std::max(kib(stat.file), view.shmem);
  view.active_anon = kib(stat.active_anon);
  view.inactive_anon = kib(stat.inactive_anon);
  view.active_file = kib(stat.active_file);
  view.inactive_file = kib(stat.inactive_file);
  view.active = saturating_add(view.active_anon, view.active_file);
  view.inactive = saturating_add(view.inactive_anon, view.inactive_file);
  view.unevictable = kib(stat.unevictable);
  view.zswap = kib(stat.zswap);
  view.zswapped = kib(stat.zswapped);
  view.dirty = kib(stat.file_dirty);
  view.writeback = kib(stat.file_writeback);
  view.anon = kib(stat.anon);
  view.mapped = kib(stat.file_mapped);
  view.slab_reclaimable = kib(stat.slab_reclaimable);
  view.slab_unreclaimable = kib(stat.slab_unreclaimable);
  view.slab = saturating_add(view.slab_reclaimable, view.slab_unreclaimable);
  view.kernel_stack = kib(stat.kernel_stack);
  view.page_tables = kib(stat.pagetables);
  view.sec_page_tables = kib(stat.sec_pagetables);
  view.vmalloc_used = kib(stat.vmalloc);
  view.percpu = kib(stat.percpu);
  view.anon_huge = kib(stat.anon_thp);
  view.shmem_huge = kib(stat.shmem_thp);
  view.file_huge = kib(stat.file_thp);
}

}  // namespace

MemoryView memory_view(const MemorySample& sample, const HostMemory& host) {
  MemoryView view;
  const auto memory = memory_capacity(sample, host);
  const auto swap = swap_capacity(sample, host);
  view.total = kib(memory.total);
  view.free = kib(memory.free);
  view.available = kib(available(memory, sample.stat, host));
  view.swap_total = kib(swap.total);
  view.swap_free = kib(swap.free);
  view.huge_page_size = host.huge_page_size;
  view.transparent_huge_page = host.transparent_huge_page;
  fill_huge_pages(sample.huge_pages, view);
  fill_from_stat(sample.stat, view);
  return view;
}

}  // namespace nacre::procfs
