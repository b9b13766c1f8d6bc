// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "procfs/sample/tasks.h"
#include "procfs/sample/vm.h"
#include "procfs/view/load.h"
#include "procfs/view/view.h"

// Numbers to text, in the kernel's own layout (proc(5)). No I/O, no arithmetic beyond units.
namespace nacre::procfs {

std::string render_meminfo(const MemoryView& memory);
// `tasks`: the reading process itself counts as running, as it does natively.
std::string render_stat(const CpuView& view, const TaskCounts& tasks, std::uint64_t forks);
std::string render_uptime(const CpuView& view);
std::string render_loadavg(const Loads& loads, const TaskCounts& tasks);
std::string render_swaps(const MemoryView& memory);
std::string render_diskstats(const std::vector<DiskView>& disks);
// The machine's text reduced to the container's CPUs, with its numbers, in one package.
std::string render_cpuinfo(std::string_view host, const CpuView& view);

// `names` are the machine's, in its order.
std::string render_vmstat(const VmstatNames& names, const VmSample& vm, const MemoryView& memory,
                          const DiskViews& disks);
std::string render_zoneinfo(const VmSample& vm, const MemoryView& memory);
// /sys/block/NAME/stat.
std::string render_disk_stat(const DiskView& disk);
std::string render_partitions(const std::vector<DiskView>& disks);
// Nobody counts these per container: a head with a column for each CPU, and zeros.
std::string render_interrupts(const std::vector<unsigned>& cpus);
std::string render_softirqs(const std::vector<unsigned>& cpus);
std::string render_slabinfo();
// /proc/pressure/RESOURCE where nothing ever waits.
std::string render_no_pressure(std::string_view resource);

// Files of /sys/devices/system/node/node0, which has everything.
std::string render_node_meminfo(const MemoryView& memory);
std::string render_numastat();

// Files of /sys/devices/system/cpu: "0-3", and masks such as "f" (comma every 32 bits).
std::string render_cpu_list(const std::vector<unsigned>& cpus);
std::string render_cpu_mask(std::size_t width, const std::vector<unsigned>& cpus);

}  // namespace nacre::procfs
