// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "procfs/render/render.h"
#include "procfs/view/vmstat.h"

namespace nacre::procfs {

std::string render_vmstat(const std::vector<std::string>& names, const VmSample& vm, const MemoryView& memory,
                          const DiskViews& disks) {
  std::string text;
  text.reserve(names.size() * 28);
  for (const auto& name : names) {
    text += name;
    text += ' ';
    text += std::to_string(vmstat_value(name, vm, memory, disks));
    text += '\n';
  }
  return text;
}

// One zone with everything in it (mm/vmstat.c, zoneinfo_show_print). Watermarks and free lists of each
// processor are the machine's business.
std::string render_zoneinfo(const VmSample& vm, const MemoryView& memory) {
  constexpr std::array<std::string_view, 14> kNodeLines{"nr_inactive_anon",
                                                        "nr_active_anon",
                                                        "nr_inactive_file",
                                                        "nr_active_file",
                                                        "nr_unevictable",
                                                        "nr_slab_reclaimable",
                                                        "nr_slab_unreclaimable",
                                                        "nr_anon_pages",
                                                        "nr_mapped",
                                                        "nr_file_pages",
                                                        "nr_dirty",
                                                        "nr_writeback",
                                                        "nr_shmem",
                                                        "nr_kernel_stack"};
  const auto value = [&](std::string_view name) {
    return std::to_string(vmstat_value(name, vm, memory, {}));
  };
  std::string text = "Node 0, zone   Normal\n  per-node stats\n";
  for (const auto line : kNodeLines) {
    std::string name(line);
    if (name.size() < 12) name.append(12 - name.size(), ' ');
    text += "      " + name + " " + value(line) + "\n";
  }
  const auto total = std::to_string(pages(memory.total));
  text += "  pages free     " + value("nr_free_pages") + "\n";
  for (const auto* const name : {"boost   ", "min     ", "low     ", "high    "})
    text += "        " + std::string(name) + " 0\n";
  for (const auto* const name : {"spanned ", "present ", "managed "})
    text += "        " + std::string(name) + " " + total + "\n";
  text += "        cma      0\n        protection: (0, 0, 0, 0, 0)\n";
  text += "      nr_free_pages " + value("nr_free_pages") + "\n";
  return text + "  node_unreclaimable:  0\n  start_pfn:           0\n";
}

}  // namespace nacre::procfs
