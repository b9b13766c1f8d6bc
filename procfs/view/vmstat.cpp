// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/vmstat.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "procfs/view/arithmetic.h"

namespace nacre::procfs {
namespace {

enum class Unit { pages, huge_pages, kib };
struct Amount {
  std::string_view name;
  std::uint64_t MemoryView::*value;
  Unit unit = Unit::pages;
};

// mm/vmstat.c, vmstat_text: those of them that a cgroup has.
constexpr std::array kAmounts{
    Amount{"nr_free_pages", &MemoryView::free},
    Amount{"nr_zone_inactive_anon", &MemoryView::inactive_anon},
    Amount{"nr_zone_active_anon", &MemoryView::active_anon},
    Amount{"nr_zone_inactive_file", &MemoryView::inactive_file},
    Amount{"nr_zone_active_file", &MemoryView::active_file},
    Amount{"nr_zone_unevictable", &MemoryView::unevictable},
    Amount{"nr_inactive_anon", &MemoryView::inactive_anon},
    Amount{"nr_active_anon", &MemoryView::active_anon},
    Amount{"nr_inactive_file", &MemoryView::inactive_file},
    Amount{"nr_active_file", &MemoryView::active_file},
    Amount{"nr_unevictable", &MemoryView::unevictable},
    Amount{"nr_slab_reclaimable", &MemoryView::slab_reclaimable},
    Amount{"nr_slab_unreclaimable", &MemoryView::slab_unreclaimable},
    Amount{"nr_anon_pages", &MemoryView::anon},
    Amount{"nr_mapped", &MemoryView::mapped},
    Amount{"nr_file_pages", &MemoryView::file_pages},
    Amount{"nr_dirty", &MemoryView::dirty},
    Amount{"nr_writeback", &MemoryView::writeback},
    Amount{"nr_shmem", &MemoryView::shmem},
    Amount{"nr_shmem_hugepages", &MemoryView::shmem_huge, Unit::huge_pages},
    Amount{"nr_file_hugepages", &MemoryView::file_huge, Unit::huge_pages},
    Amount{"nr_anon_transparent_hugepages", &MemoryView::anon_huge, Unit::huge_pages},
    Amount{"nr_kernel_stack", &MemoryView::kernel_stack, Unit::kib},
    Amount{"nr_page_table_pages", &MemoryView::page_tables},
    Amount{"nr_sec_page_table_pages", &MemoryView::sec_page_tables},
    Amount{"nr_swapcached", &MemoryView::swap_cached},
};

std::uint64_t in_unit(std::uint64_t kib, Unit unit, const MemoryView& memory) {
  switch (unit) {
    case Unit::pages: return pages(kib);
    case Unit::huge_pages: return kib / std::max<std::uint64_t>(memory.transparent_huge_page, 1);
    case Unit::kib: return kib;
  }
  return kib;
}

std::uint64_t disk_kib(const DiskViews& disks, std::uint64_t cgroup::DeviceIo::*bytes) {
  std::uint64_t sum = 0;
  for (const auto& disk : disks) sum = saturating_add(sum, disk.io.*bytes);
  return sum / 1024;
}

}  // namespace

std::uint64_t pages(std::uint64_t kib) {
  return kib / (static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024);
}

std::vector<std::uint64_t> vmstat_values(const VmstatNames& names, const VmSample& vm,
                                         const MemoryView& memory, const DiskViews& disks) {
  std::vector<std::uint64_t> values(names.in_order().size());
  const auto set = [&](std::string_view name, std::uint64_t value) {
    if (const auto line = names.find(name)) values[*line] = value;
  };
  for (const auto& amount : kAmounts) set(amount.name, in_unit(memory.*(amount.value), amount.unit, memory));
  set("pgpgin", disk_kib(disks, &cgroup::DeviceIo::read_bytes));
  set("pgpgout", disk_kib(disks, &cgroup::DeviceIo::write_bytes));
  for (const auto& [name, value] : vm.events) set(name, value);
  return values;
}

}  // namespace nacre::procfs
