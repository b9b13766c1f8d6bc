// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>

#include "procfs/sample/number.h"
#include "procfs/sample/sample.h"

namespace nacre::procfs {
namespace {

struct StatKey {
  std::string_view v2;
  std::string_view v1;  // empty: v1 does not count it
  std::uint64_t MemoryStat::*value;
};

// v1's "rss" is anonymous memory with its huge pages and swap cache; "cache" includes shmem
// as v2's "file" does (cgroup-v1/memory.rst §5.2).
constexpr std::array kStatKeys{
    StatKey{"anon", "total_rss", &MemoryStat::anon},
    StatKey{"anon_thp", "total_rss_huge", &MemoryStat::anon_thp},
    StatKey{"file", "total_cache", &MemoryStat::file},
    StatKey{"file_mapped", "total_mapped_file", &MemoryStat::file_mapped},
    StatKey{"file_dirty", "total_dirty", &MemoryStat::file_dirty},
    StatKey{"file_writeback", "total_writeback", &MemoryStat::file_writeback},
    StatKey{"file_thp", "", &MemoryStat::file_thp},
    StatKey{"shmem", "total_shmem", &MemoryStat::shmem},
    StatKey{"shmem_thp", "", &MemoryStat::shmem_thp},
    StatKey{"swapcached", "total_swapcached", &MemoryStat::swapcached},
    StatKey{"active_anon", "total_active_anon", &MemoryStat::active_anon},
    StatKey{"inactive_anon", "total_inactive_anon", &MemoryStat::inactive_anon},
    StatKey{"active_file", "total_active_file", &MemoryStat::active_file},
    StatKey{"inactive_file", "total_inactive_file", &MemoryStat::inactive_file},
    StatKey{"unevictable", "total_unevictable", &MemoryStat::unevictable},
    StatKey{"slab_reclaimable", "", &MemoryStat::slab_reclaimable},
    StatKey{"slab_unreclaimable", "", &MemoryStat::slab_unreclaimable},
    StatKey{"kernel_stack", "", &MemoryStat::kernel_stack},
    StatKey{"pagetables", "", &MemoryStat::pagetables},
    StatKey{"sec_pagetables", "", &MemoryStat::sec_pagetables},
    StatKey{"percpu", "", &MemoryStat::percpu},
    StatKey{"vmalloc", "", &MemoryStat::vmalloc},
    StatKey{"zswap", "", &MemoryStat::zswap},
    StatKey{"zswapped", "", &MemoryStat::zswapped},
};

Result<MemoryLevel> sample_level(HotFiles& files, const std::string& directory, bool v2, bool has_swap) {
  MemoryLevel level;
  level.limit = TRY(number(files, directory + (v2 ? "/memory.max" : "/memory.limit_in_bytes")));
  // Above memory.high threads are held up as if there were no more, however much memory.max allows.
  if (v2)
    level.limit =
        std::min(level.limit, TRY(number_or(files, directory + "/memory.high", cgroup::kUnlimited)));
  level.usage = TRY(number(files, directory + (v2 ? "/memory.current" : "/memory.usage_in_bytes")));
  // What nobody can have needs not be known.
  if (!has_swap) return level;
  level.swap_limit = TRY(number_or(
      files, directory + (v2 ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes"), cgroup::kUnlimited));
  level.swap_usage =
      TRY(number_or(files, directory + (v2 ? "/memory.swap.current" : "/memory.memsw.usage_in_bytes"),
                    v2 ? 0 : level.usage));
  return level;
}

}  // namespace

MemoryStat parse_memory_stat(std::string_view text, bool v2) {
  MemoryStat stat;
  cgroup::for_each_key(text, [&](std::string_view key, std::uint64_t value) {
    for (const auto& known : kStatKeys)
      if ((v2 ? known.v2 : known.v1) == key) stat.*(known.value) = value;
  });
  return stat;
}

Result<HostMemory> parse_host_memory(std::string_view meminfo) {
  HostMemory host;
  for (const auto line : split(meminfo, '\n')) {
    const auto words = split_blank(line);
    if (words.size() < 2) continue;
    const auto value = parse_int<std::uint64_t>(words[1]);
    if (!value) continue;
    if (words[0] == "MemTotal:") host.total = *value;
    if (words[0] == "MemFree:") host.free = *value;
    if (words[0] == "MemAvailable:") host.available = *value;
    if (words[0] == "SwapTotal:") host.swap_total = *value;
    if (words[0] == "SwapFree:") host.swap_free = *value;
    if (words[0] == "Hugepagesize:") host.huge_page_size = *value;
    if (words[0] == "Hugetlb:") host.hugetlb = *value;
  }
  if (host.total == 0) return bad_input("/proc/meminfo has no MemTotal");
  return host;
}

Result<MemorySample> sample_memory(HotFiles& files, const Places& places, const HostMemory& host) {
  MemorySample sample;
  sample.huge_pages = TRY(sample_huge_pages(files, places, host.huge_pages));
  if (!places.memory) return sample;
  const auto& place = *places.memory;
  sample.v2 = place.v2;
  for (const auto& directory : place.levels)
    sample.levels.push_back(TRY(sample_level(files, directory, place.v2, host.swap_total != 0)));
  if (place.own.empty()) return sample;
  sample.own = !place.levels.empty() && place.levels.front() == place.own;
  sample.stat = parse_memory_stat(TRY(files.read(place.own + "/memory.stat")), place.v2);
  return sample;
}

}  // namespace nacre::procfs
