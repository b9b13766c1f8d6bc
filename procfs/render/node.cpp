// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>

#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

struct Line {
  std::string_view key;
  std::uint64_t MemoryView::*value;
};

// drivers/base/node.c, node_read_meminfo, where no option of the kernel leaves a line out.
constexpr std::array kLines{
    Line{"MemTotal", &MemoryView::total},
    Line{"MemFree", &MemoryView::free},
    Line{"SwapCached", &MemoryView::swap_cached},
    Line{"Active", &MemoryView::active},
    Line{"Inactive", &MemoryView::inactive},
    Line{"Active(anon)", &MemoryView::active_anon},
    Line{"Inactive(anon)", &MemoryView::inactive_anon},
    Line{"Active(file)", &MemoryView::active_file},
    Line{"Inactive(file)", &MemoryView::inactive_file},
    Line{"Unevictable", &MemoryView::unevictable},
    Line{"Mlocked", &MemoryView::none},
    Line{"Dirty", &MemoryView::dirty},
    Line{"Writeback", &MemoryView::writeback},
    Line{"FilePages", &MemoryView::file_pages},
    Line{"Mapped", &MemoryView::mapped},
    Line{"AnonPages", &MemoryView::anon},
    Line{"Shmem", &MemoryView::shmem},
    Line{"KernelStack", &MemoryView::kernel_stack},
    Line{"PageTables", &MemoryView::page_tables},
    Line{"SecPageTables", &MemoryView::sec_page_tables},
    Line{"NFS_Unstable", &MemoryView::none},
    Line{"Bounce", &MemoryView::none},
    Line{"WritebackTmp", &MemoryView::none},
    Line{"KReclaimable", &MemoryView::slab_reclaimable},
    Line{"Slab", &MemoryView::slab},
    Line{"SReclaimable", &MemoryView::slab_reclaimable},
    Line{"SUnreclaim", &MemoryView::slab_unreclaimable},
    Line{"AnonHugePages", &MemoryView::anon_huge},
    Line{"ShmemHugePages", &MemoryView::shmem_huge},
    Line{"ShmemPmdMapped", &MemoryView::none},
    Line{"FileHugePages", &MemoryView::file_huge},
    Line{"FilePmdMapped", &MemoryView::none},
};

void append(std::string& text, std::string_view key, std::uint64_t value, std::size_t width,
            std::string_view unit) {
  text += "Node 0 ";
  text += key;
  text += ':';
  if (key.size() < 15) text.append(15 - key.size(), ' ');
  const auto number = std::to_string(value);
  if (number.size() < width) text.append(width - number.size(), ' ');
  text += number;
  text += unit;
}

}  // namespace

std::string render_node_meminfo(const MemoryView& memory) {
  std::string text;
  for (const auto& line : kLines) {
    append(text, line.key, memory.*(line.value), 8, " kB\n");
    if (line.key == "MemFree") append(text, "MemUsed", memory.total - memory.free, 8, " kB\n");
  }
  append(text, "HugePages_Total", memory.huge_pages_total, 6, "\n");
  append(text, "HugePages_Free", memory.huge_pages_free, 6, "\n");
  append(text, "HugePages_Surp", 0, 6, "\n");
  return text;
}

std::string render_numastat() {
  std::string text;
  for (const auto* const name :
       {"numa_hit", "numa_miss", "numa_foreign", "interleave_hit", "local_node", "other_node"})
    text += std::string(name) + " 0\n";
  return text;
}

}  // namespace nacre::procfs
