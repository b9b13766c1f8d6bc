// SPDX-License-Identifier: Apache-2.0
#include "procfs/render/render.h"

#include <array>
#include <cstdint>

namespace nacre::procfs {
namespace {

constexpr std::uint64_t kSector = 512;

std::string padded(std::uint64_t value, std::size_t width) {
  auto text = std::to_string(value);
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

}  // namespace

std::string render_diskstats(const std::vector<DiskView>& disks) {
  std::string text;
  for (const auto& disk : disks) {
    const auto& io = disk.io;
    text += padded(io.major, 4) + " " + padded(io.minor, 7) + " " + disk.name;
    // For each of read, write, discard: operations, merged, sectors, milliseconds.
    // In between: in flight, busy and weighted milliseconds; at the end flushes. The kernel
    // counts no times and merges per cgroup.
    text += " " + std::to_string(io.reads) + " 0 " + std::to_string(io.read_bytes / kSector) + " 0";
    text += " " + std::to_string(io.writes) + " 0 " + std::to_string(io.write_bytes / kSector) + " 0 0 0 0";
    text +=
        " " + std::to_string(io.discards) + " 0 " + std::to_string(io.discard_bytes / kSector) + " 0 0 0\n";
  }
  return text;
}

// block/genhd.c, part_stat_show: the fields of /proc/diskstats in columns.
std::string render_disk_stat(const DiskView& disk) {
  const auto& io = disk.io;
  const std::array<std::uint64_t, 17> fields{
      io.reads,    0, io.read_bytes / kSector,    0, io.writes, 0, io.write_bytes / kSector, 0, 0, 0, 0,
      io.discards, 0, io.discard_bytes / kSector, 0, 0,         0};
  std::string text;
  for (const auto field : fields) text += (text.empty() ? "" : " ") + padded(field, 8);
  return text + "\n";
}

// block/genhd.c, show_partition.
std::string render_partitions(const std::vector<DiskView>& disks) {
  std::string text = "major minor  #blocks  name\n\n";
  for (const auto& disk : disks)
    text += padded(disk.io.major, 4) + "  " + padded(disk.io.minor, 7) + " " + padded(disk.sectors / 2, 10) +
            " " + disk.name + "\n";
  return text;
}

// mm/slab_common.c: the head alone. What the kernel has in its caches it does not say of a cgroup.
std::string render_slabinfo() {
  return "slabinfo - version: 2.1\n"
         "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
         " : tunables <limit> <batchcount> <sharedfactor>"
         " : slabdata <active_slabs> <num_slabs> <sharedavail>\n";
}

std::string render_swaps(const MemoryView& memory) {
  std::string text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  if (memory.swap_total == 0) return text;
  const auto used = memory.swap_total - memory.swap_free;
  // Columns as in mm/swapfile.c: the name fills 40, numbers of up to seven digits two tabs.
  const auto column = [](std::uint64_t value) {
    return std::to_string(value) + (value < 10'000'000 ? "\t\t" : "\t");
  };
  text += "none" + std::string(36, ' ') + "virtual\t\t" + column(memory.swap_total) + column(used) + "0\n";
  return text;
}

}  // namespace nacre::procfs
