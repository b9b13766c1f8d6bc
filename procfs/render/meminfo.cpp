// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>

#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

struct Line {
  std::string_view key;
  std::uint64_t MemoryView::*value;
  bool unit = true;
};

// In the kernel's order (fs/proc/meminfo.c). Some readers take only the first page, some
// only the first lines. Those of one architecture (DirectMap…) or option are left out.
constexpr std::array kLines{
    Line{"MemTotal", &MemoryView::total},
    Line{"MemFree", &MemoryView::free},
    Line{"MemAvailable", &MemoryView::available},
    Line{"Buffers", &MemoryView::none},
    Line{"Cached", &MemoryView::cached},
    Line{"SwapCached", &MemoryView::swap_cached},
    Line{"Active", &MemoryView::active},
    Line{"Inactive", &MemoryView::inactive},
    Line{"Active(anon)", &MemoryView::active_anon},
    Line{"Inactive(anon)", &MemoryView::inactive_anon},
    Line{"Active(file)", &MemoryView::active_file},
    Line{"Inactive(file)", &MemoryView::inactive_file},
    Line{"Unevictable", &MemoryView::unevictable},
    Line{"Mlocked", &MemoryView::none},
    Line{"SwapTotal", &MemoryView::swap_total},
    Line{"SwapFree", &MemoryView::swap_free},
    Line{"Zswap", &MemoryView::zswap},
    Line{"Zswapped", &MemoryView::zswapped},
    Line{"Dirty", &MemoryView::dirty},
    Line{"Writeback", &MemoryView::writeback},
    Line{"AnonPages", &MemoryView::anon},
    Line{"Mapped", &MemoryView::mapped},
    Line{"Shmem", &MemoryView::shmem},
    Line{"KReclaimable", &MemoryView::slab_reclaimable},
    Line{"Slab", &MemoryView::slab},
    Line{"SReclaimable", &MemoryView::slab_reclaimable},
    Line{"SUnreclaim", &MemoryView::slab_unreclaimable},
    Line{"KernelStack", &MemoryView::kernel_stack},
    Line{"PageTables", &MemoryView::page_tables},
    Line{"SecPageTables", &MemoryView::sec_page_tables},
    Line{"NFS_Unstable", &MemoryView::none},
    Line{"Bounce", &MemoryView::none},
    Line{"WritebackTmp", &MemoryView::none},
    Line{"CommitLimit", &MemoryView::none},
    Line{"Committed_AS", &MemoryView::none},
    Line{"VmallocTotal", &MemoryView::none},
    Line{"VmallocUsed", &MemoryView::vmalloc_used},
    Line{"VmallocChunk", &MemoryView::none},
    Line{"Percpu", &MemoryView::percpu},
    Line{"AnonHugePages", &MemoryView::anon_huge},
    Line{"ShmemHugePages", &MemoryView::shmem_huge},
    Line{"ShmemPmdMapped", &MemoryView::none},
    Line{"FileHugePages", &MemoryView::file_huge},
    Line{"FilePmdMapped", &MemoryView::none},
    Line{"HugePages_Total", &MemoryView::huge_pages_total, false},
    Line{"HugePages_Free", &MemoryView::huge_pages_free, false},
    Line{"HugePages_Rsvd", &MemoryView::none, false},
    Line{"HugePages_Surp", &MemoryView::none, false},
    Line{"Hugepagesize", &MemoryView::huge_page_size},
    Line{"Hugetlb", &MemoryView::hugetlb},
};

}  // namespace

std::string render_meminfo(const MemoryView& memory) {
  std::string text;
  text.reserve(kLines.size() * 28);
  for (const auto& line : kLines) {
    text += line.key;
    text += ':';
    if (line.key.size() < 15) text.append(15 - line.key.size(), ' ');
    const auto number = std::to_string(memory.*line.value);
    if (number.size() < 8) text.append(8 - number.size(), ' ');
    text += number;
    text += line.unit ? " kB\n" : "\n";
  }
  return text;
}

}  // namespace nacre::procfs
