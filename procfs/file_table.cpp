// SPDX-License-Identifier: Apache-2.0
#include "procfs/file_table.h"

#include <array>

#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

using Text = Result<std::string>;

Text meminfo(Container& c, std::size_t) { return render_meminfo(*TRY(c.memory())); }
Text uptime(Container& c, std::size_t) { return render_uptime(*TRY(c.cpu())); }
Text swaps(Container& c, std::size_t) { return render_swaps(*TRY(c.memory())); }
Text diskstats(Container& c, std::size_t) { return render_diskstats(*TRY(c.disks())); }
Text loadavg(Container& c, std::size_t) { return render_loadavg(TRY(c.loads()), TRY(c.tasks())); }
Text cpuinfo(Container& c, std::size_t) {
  const auto view = TRY(c.cpu());
  return render_cpuinfo(*TRY(c.host_cpuinfo()), *view);
}
Text stat(Container& c, std::size_t) {
  const auto view = TRY(c.cpu());
  const auto tasks = TRY(c.tasks());
  return render_stat(*view, tasks, c.forks());
}

Text vmstat(Container& c, std::size_t) {
  return render_vmstat(*TRY(c.vmstat_names()), *TRY(c.vm()), *TRY(c.memory()), *TRY(c.disks()));
}
Text zoneinfo(Container& c, std::size_t) { return render_zoneinfo(*TRY(c.vm()), *TRY(c.memory())); }
Text partitions(Container& c, std::size_t) { return render_partitions(*TRY(c.disks())); }
Text interrupts(Container& c, std::size_t) { return render_interrupts(TRY(c.cpu())->numbers); }
Text softirqs(Container& c, std::size_t) { return render_softirqs(TRY(c.cpu())->numbers); }
Text slabinfo(Container&, std::size_t) { return render_slabinfo(); }
Text pressure_of(Container& c, const char* resource) {
  auto text = TRY(c.pressure(resource));
  return text ? std::move(*text) : render_no_pressure(resource);
}
Text cpu_pressure(Container& c, std::size_t) { return pressure_of(c, "cpu"); }
Text memory_pressure(Container& c, std::size_t) { return pressure_of(c, "memory"); }
Text io_pressure(Container& c, std::size_t) { return pressure_of(c, "io"); }
Text irq_pressure(Container& c, std::size_t) { return pressure_of(c, "irq"); }

std::size_t mask_width(const CpuView& view) { return view.numbers.back() + std::size_t{1}; }
Text cpu_list(Container& c, std::size_t) { return render_cpu_list(TRY(c.cpu())->numbers); }
Text cpu_mask(Container& c, std::size_t) {
  const auto view = TRY(c.cpu());
  return render_cpu_mask(mask_width(*view), view->numbers);
}
Text highest_cpu(Container& c, std::size_t) { return std::to_string(TRY(c.cpu())->numbers.back()) + "\n"; }
Text own_number(Container&, std::size_t cpu) { return std::to_string(cpu) + "\n"; }
Text own_mask(Container& c, std::size_t cpu) {
  return render_cpu_mask(mask_width(*TRY(c.cpu())), {static_cast<unsigned>(cpu)});
}
Text node_meminfo(Container& c, std::size_t) { return render_node_meminfo(*TRY(c.memory())); }
Text numastat(Container&, std::size_t) { return render_numastat(); }
// Nearer than anything else (ACPI's LOCAL_DISTANCE).
Text distance(Container&, std::size_t) { return std::string("10\n"); }
Text empty(Container&, std::size_t) { return std::string("\n"); }
Text zero(Container&, std::size_t) { return std::string("0\n"); }
Text one(Container&, std::size_t) { return std::string("1\n"); }

// The disk with that number, as long as the container has it.
Result<DiskView> disk_of(Container& c, std::size_t number) {
  const auto disks = TRY(c.disks());
  for (const auto& disk : *disks)
    if (disk.number == number) return disk;
  return fail(ENODEV);
}
Text disk_stat(Container& c, std::size_t number) { return render_disk_stat(TRY(disk_of(c, number))); }
Text disk_device(Container& c, std::size_t number) {
  const auto disk = TRY(disk_of(c, number));
  return std::to_string(disk.io.major) + ":" + std::to_string(disk.io.minor) + "\n";
}
Text disk_size(Container& c, std::size_t number) {
  return std::to_string(TRY(disk_of(c, number)).sectors) + "\n";
}

Result<std::vector<Instance>> cpus(Container& c) {
  const auto view = TRY(c.cpu());
  std::vector<Instance> found;
  for (const auto number : view->numbers)
    found.push_back({"cpu" + std::to_string(number), static_cast<std::uint16_t>(number)});
  return found;
}
Result<std::vector<Instance>> disks(Container& c) {
  const auto used = TRY(c.disks());
  std::vector<Instance> found;
  for (const auto& disk : *used)
    if (disk.number) found.push_back({disk.name, *disk.number});
  return found;
}
constexpr std::array kInstances{InstanceRow{"cpu#", cpus}, InstanceRow{"disk#", disks}};

// One package of N cores without threads: every CPU is its own core; one node with all memory.
constexpr std::array kFiles{
    FileRow{.path = "proc/cpuinfo", .render = cpuinfo, .is_long = true},
    FileRow{.path = "proc/diskstats", .render = diskstats, .is_long = true},
    FileRow{.path = "proc/interrupts", .render = interrupts, .is_long = true},
    FileRow{"proc/loadavg", loadavg},
    FileRow{"proc/meminfo", meminfo},
    FileRow{.path = "proc/partitions", .render = partitions, .is_long = true},
    FileRow{"proc/pressure/cpu", cpu_pressure, "cpu"},
    FileRow{"proc/pressure/io", io_pressure, "io"},
    FileRow{"proc/pressure/irq", irq_pressure, "irq"},
    FileRow{"proc/pressure/memory", memory_pressure, "memory"},
    FileRow{"proc/slabinfo", slabinfo},
    FileRow{.path = "proc/softirqs", .render = softirqs, .is_long = true},
    FileRow{.path = "proc/stat", .render = stat, .is_long = true},
    FileRow{"proc/swaps", swaps},
    FileRow{"proc/uptime", uptime},
    FileRow{.path = "proc/vmstat", .render = vmstat, .is_long = true},
    FileRow{.path = "proc/zoneinfo", .render = zoneinfo, .is_long = true},
    FileRow{"sys/block/disk#/dev", disk_device},
    FileRow{"sys/block/disk#/removable", zero},
    FileRow{"sys/block/disk#/ro", zero},
    FileRow{"sys/block/disk#/size", disk_size},
    FileRow{"sys/block/disk#/stat", disk_stat},
    FileRow{"sys/devices/system/cpu/online", cpu_list},
    FileRow{"sys/devices/system/cpu/possible", cpu_list},
    FileRow{"sys/devices/system/cpu/present", cpu_list},
    FileRow{"sys/devices/system/cpu/enabled", cpu_list},
    FileRow{"sys/devices/system/cpu/offline", empty},
    FileRow{"sys/devices/system/cpu/isolated", empty},
    FileRow{"sys/devices/system/cpu/kernel_max", highest_cpu},
    FileRow{"sys/devices/system/cpu/smt/active", zero},
    FileRow{"sys/devices/system/cpu/cpu#/online", one},
    FileRow{"sys/devices/system/cpu/cpu#/topology/core_id", own_number},
    FileRow{"sys/devices/system/cpu/cpu#/topology/cluster_id", zero},
    FileRow{"sys/devices/system/cpu/cpu#/topology/die_id", zero},
    FileRow{"sys/devices/system/cpu/cpu#/topology/physical_package_id", zero},
    FileRow{"sys/devices/system/cpu/cpu#/topology/thread_siblings", own_mask},
    FileRow{"sys/devices/system/cpu/cpu#/topology/thread_siblings_list", own_number},
    FileRow{"sys/devices/system/cpu/cpu#/topology/core_cpus", own_mask},
    FileRow{"sys/devices/system/cpu/cpu#/topology/core_cpus_list", own_number},
    FileRow{"sys/devices/system/cpu/cpu#/topology/core_siblings", cpu_mask},
    FileRow{"sys/devices/system/cpu/cpu#/topology/core_siblings_list", cpu_list},
    FileRow{"sys/devices/system/cpu/cpu#/topology/cluster_cpus", cpu_mask},
    FileRow{"sys/devices/system/cpu/cpu#/topology/cluster_cpus_list", cpu_list},
    FileRow{"sys/devices/system/cpu/cpu#/topology/die_cpus", cpu_mask},
    FileRow{"sys/devices/system/cpu/cpu#/topology/die_cpus_list", cpu_list},
    FileRow{"sys/devices/system/cpu/cpu#/topology/package_cpus", cpu_mask},
    FileRow{"sys/devices/system/cpu/cpu#/topology/package_cpus_list", cpu_list},
    FileRow{"sys/devices/system/node/online", zero},
    FileRow{"sys/devices/system/node/possible", zero},
    FileRow{"sys/devices/system/node/has_cpu", zero},
    FileRow{"sys/devices/system/node/has_memory", zero},
    FileRow{"sys/devices/system/node/has_normal_memory", zero},
    FileRow{"sys/devices/system/node/has_generic_initiator", empty},
    FileRow{"sys/devices/system/node/node0/cpulist", cpu_list},
    FileRow{"sys/devices/system/node/node0/cpumap", cpu_mask},
    FileRow{"sys/devices/system/node/node0/distance", distance},
    FileRow{"sys/devices/system/node/node0/meminfo", node_meminfo},
    FileRow{"sys/devices/system/node/node0/numastat", numastat},
};

// The directories as a whole: what counts is which cpuN they list.
constexpr std::array kAttached{
    AttachRow{"/proc/cpuinfo"},
    AttachRow{"/proc/diskstats"},
    AttachRow{"/proc/interrupts"},
    AttachRow{"/proc/loadavg"},
    AttachRow{"/proc/meminfo"},
    AttachRow{"/proc/partitions"},
    AttachRow{"/proc/pressure", true},
    AttachRow{"/proc/slabinfo"},
    AttachRow{"/proc/softirqs"},
    AttachRow{"/proc/stat"},
    AttachRow{"/proc/swaps"},
    AttachRow{"/proc/uptime"},
    AttachRow{"/proc/vmstat"},
    AttachRow{"/proc/zoneinfo"},
    AttachRow{"/sys/block"},
    AttachRow{"/sys/devices/system/cpu"},
    AttachRow{"/sys/devices/system/node"},
};

}  // namespace

std::span<const FileRow> file_table() { return kFiles; }
std::span<const InstanceRow> instance_table() { return kInstances; }
std::span<const AttachRow> attach_table() { return kAttached; }

}  // namespace nacre::procfs
