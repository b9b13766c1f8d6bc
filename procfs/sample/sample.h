// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/cgroup/keyed_file.h"
#include "base/result.h"
#include "procfs/sample/hot_files.h"
#include "procfs/sample/places.h"

// What the kernel says, unprocessed. The functions here do all cgroup I/O of nacre-procfs;
// the arithmetic is in procfs/view.
namespace nacre::procfs {

// One cgroup on the way from the container to the root. Bytes; kUnlimited without a limit.
struct MemoryLevel {
  std::uint64_t limit = cgroup::kUnlimited;
  std::uint64_t usage = 0;
  // v2: of swap alone. v1: of memory and swap together.
  std::uint64_t swap_limit = cgroup::kUnlimited;
  std::uint64_t swap_usage = 0;
};

// memory.stat of the container, its descendants included, in bytes. What a hierarchy does
// not count is 0.
struct MemoryStat {
  std::uint64_t anon = 0, anon_thp = 0, file = 0, file_mapped = 0, file_dirty = 0, file_writeback = 0,
                file_thp = 0;
  std::uint64_t shmem = 0, shmem_thp = 0, swapcached = 0;
  std::uint64_t active_anon = 0, inactive_anon = 0, active_file = 0, inactive_file = 0, unevictable = 0;
  std::uint64_t slab_reclaimable = 0, slab_unreclaimable = 0;
  std::uint64_t kernel_stack = 0, pagetables = 0, sec_pagetables = 0, percpu = 0, vmalloc = 0;
  std::uint64_t zswap = 0, zswapped = 0;
  bool operator==(const MemoryStat&) const = default;
};
MemoryStat parse_memory_stat(std::string_view text, bool v2);

// The huge pages of one size, which are the machine's to hand out (hugetlbfs(5)). Bytes.
struct HugePagePool {
  std::string name;  // as in the names of the controller's files: "2MB"
  std::uint64_t page = 0;
  std::uint64_t total = 0, free = 0;  // of the machine
  struct Level {
    std::uint64_t limit = cgroup::kUnlimited;
    std::uint64_t usage = 0;
  };
  std::vector<Level> levels{};  // of a container
};

struct MemorySample {
  bool v2 = false;
  bool own = false;  // levels.front() is the container's own cgroup
  std::vector<MemoryLevel> levels;
  MemoryStat stat;
  std::vector<HugePagePool> huge_pages;  // those that the machine has any of
};

// CPU time used since the cgroup exists, in microseconds.
struct CpuUsage {
  std::uint64_t total = 0;
  std::uint64_t user = 0, system = 0, nice = 0;  // the proportions of `total`; nice is part of user
  std::uint64_t throttled = 0;
  std::uint64_t io_stalled = 0;  // all threads that could have run waited for I/O
};

struct CpuSample {
  std::vector<cgroup::Quota> quotas;  // of the container and its ancestors
  std::vector<unsigned> allowed;      // effective cpuset; empty: nothing restricts it
  CpuUsage usage;
};

// The machine, for limits that nobody set. KiB.
struct HostMemory {
  std::uint64_t total = 0, free = 0, available = 0;
  std::uint64_t swap_total = 0, swap_free = 0;
  std::uint64_t huge_page_size = 0;         // a constant of the machine
  std::uint64_t hugetlb = 0;                // memory set aside for huge pages
  std::uint64_t transparent_huge_page = 0;  // the size of one; a constant, too
  std::vector<HugePagePool> huge_pages{};
};
Result<HostMemory> parse_host_memory(std::string_view meminfo);
// Those with any page, of `directory`, /sys/kernel/mm/hugepages.
Result<std::vector<HugePagePool>> host_huge_pages(HotFiles& files, const std::string& directory);

Result<MemorySample> sample_memory(HotFiles& files, const Places& places, const HostMemory& host);
// What each level of the container may have of the machine's huge pages.
Result<std::vector<HugePagePool>> sample_huge_pages(HotFiles& files, const Places& places,
                                                    const std::vector<HugePagePool>& host);
Result<CpuSample> sample_cpu(HotFiles& files, const Places& places);
Result<std::vector<cgroup::DeviceIo>> sample_io(HotFiles& files, const Places& places);

}  // namespace nacre::procfs
