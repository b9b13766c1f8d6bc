// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/vmstat.h"
#include "procfs/render/render.h"

namespace nacre::procfs {

std::string render_vmstat(const VmstatNames& names, const VmSample& vm, const MemoryView& memory,
                          const DiskViews& disks) {
  const auto values = vmstat_values(names, vm, memory, disks);
  std::string text;
  text.reserve(values.size() * 28);
  for (std::size_t line = 0; line < values.size(); ++line) {
    text += names.in_order()[line];
    text += ' ';
    text += std::to_string(values[line]);
    text += '\n';
  }
  return text;
}

// One zone with everything in it (mm/vmstat.c, zoneinfo_show_print). Watermarks and free lists of each
// processor are the machine's business.
std::string render_zoneinfo(const VmSample& vm, const MemoryView& memory) {
  static const VmstatNames kNodeLines({"nr_inactive_anon", "nr_active_anon", "nr_inactive_file",
                                       "nr_active_file", "nr_unevictable", "nr_slab_reclaimable",
                                       "nr_slab_unreclaimable", "nr_anon_pages", "nr_mapped", "nr_file_pages",
                                       "nr_dirty", "nr_writeback", "nr_shmem", "nr_kernel_stack"});
  const auto values = vmstat_values(kNodeLines, vm, memory, {});
  std::string text = "Node 0, zone   Normal\n  per-node stats\n";
  for (std::size_t line = 0; line < values.size(); ++line) {
    auto name = kNodeLines.in_order()[line];
    if (name.size() < 12) name.append(12 - name.size(), ' ');
    text += "      " + name + " " + std::to_string(values[line]) + "\n";
  }
  const auto total = std::to_string(pages(memory.total));
  const auto free_pages = std::to_string(pages(memory.free));
  text += "  pages free     " + free_pages + "\n";
  for (const auto* const name : {"boost   ", "min     ", "low     ", "high    "})
    text += "        " + std::string(name) + " 0\n";
  for (const auto* const name : {"spanned ", "present ", "managed "})
    text += "        " + std::string(name) + " " + total + "\n";
  text += "        cma      0\n        protection: (0, 0, 0, 0, 0)\n";
  text += "      nr_free_pages " + free_pages + "\n";
  return text + "  node_unreclaimable:  0\n  start_pfn:           0\n";
}

}  // namespace nacre::procfs
