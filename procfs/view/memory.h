// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "procfs/sample/sample.h"

namespace nacre::procfs {

// A container's memory as /proc/meminfo and sysinfo(2) show it, in KiB.
// Always: free <= available <= total <= the machine's, swap_free <= swap_total <= the
// machine's, shmem <= cached. A field without a source is 0, never the machine's value.
struct MemoryView {
  std::uint64_t total = 0, free = 0, available = 0;
  std::uint64_t cached = 0, swap_cached = 0, file_pages = 0;  // the last: both together
  std::uint64_t active = 0, inactive = 0;
  std::uint64_t active_anon = 0, inactive_anon = 0, active_file = 0, inactive_file = 0, unevictable = 0;
  std::uint64_t swap_total = 0, swap_free = 0, zswap = 0, zswapped = 0;
  std::uint64_t dirty = 0, writeback = 0, anon = 0, mapped = 0, shmem = 0;
  std::uint64_t slab = 0, slab_reclaimable = 0, slab_unreclaimable = 0;
  std::uint64_t kernel_stack = 0, page_tables = 0, sec_page_tables = 0, vmalloc_used = 0, percpu = 0;
  std::uint64_t anon_huge = 0, shmem_huge = 0, file_huge = 0;
  std::uint64_t huge_page_size = 0, transparent_huge_page = 0;  // the machine's: programs divide by them
  std::uint64_t huge_pages_total = 0, huge_pages_free = 0;      // pages of that size
  std::uint64_t hugetlb = 0;                                    // of all sizes
  std::uint64_t none = 0;  // lines the kernel prints and nobody counts per container
};

// The container's limit is the smallest of its own, its ancestors' and the machine's; free
// memory is what every one of these levels still has, so siblings count.
MemoryView memory_view(const MemorySample& sample, const HostMemory& host);

}  // namespace nacre::procfs
