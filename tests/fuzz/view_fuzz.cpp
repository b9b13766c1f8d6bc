// SPDX-License-Identifier: Apache-2.0
// The files of a container whose cgroups say anything at all, or lose files while they are read. An input is
// the layout, and records that end with a zero byte: the file, and what is in it ("-": it is gone).
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/parse.h"
#include "procfs/file_table.h"
#include "procfs/registry.h"
#include "tests/fuzz/target.h"
#include "tests/support/fake_cgroup.h"
#include "tests/support/fake_clock.h"

namespace {

using namespace std::chrono_literals;
using namespace nacre;
using fuzz::require;

struct HostileFile {
  const char* controller;
  const char* name;
};
constexpr std::array kFiles{
    HostileFile{"memory", "memory.limit_in_bytes"},
    HostileFile{"memory", "memory.usage_in_bytes"},
    HostileFile{"memory", "memory.memsw.limit_in_bytes"},
    HostileFile{"memory", "memory.memsw.usage_in_bytes"},
    HostileFile{"memory", "memory.max"},
    HostileFile{"memory", "memory.current"},
    HostileFile{"memory", "memory.swap.max"},
    HostileFile{"memory", "memory.swap.current"},
    HostileFile{"memory", "memory.stat"},
    HostileFile{"memory", "memory.oom_control"},
    HostileFile{"memory", "memory.events"},
    HostileFile{"cpu", "cpu.cfs_quota_us"},
    HostileFile{"cpu", "cpu.cfs_period_us"},
    HostileFile{"cpu", "cpu.max"},
    HostileFile{"cpu", "cpu.stat"},
    HostileFile{"cpuset", "cpuset.effective_cpus"},
    HostileFile{"cpuset", "cpuset.cpus.effective"},
    HostileFile{"cpuacct", "cpuacct.usage"},
    HostileFile{"cpuacct", "cpuacct.usage_user"},
    HostileFile{"cpuacct", "cpuacct.usage_sys"},
    HostileFile{"blkio", "blkio.throttle.io_service_bytes_recursive"},
    HostileFile{"blkio", "blkio.throttle.io_serviced_recursive"},
    HostileFile{"io", "io.stat"},
    HostileFile{"", "io.pressure"},
    HostileFile{"", "cpu.pressure"},
    HostileFile{"cpu", "tasks"},
    HostileFile{"", "cgroup.threads"},
};
constexpr const char* kContainer = "/a/box";

struct Machine {
  explicit Machine(cgroup::Mode mode) : cgroups(mode) {}

  test::FakeCgroup cgroups;
  test::FakeClock clock;
  procfs::HotFiles files{cgroups.hierarchies().mountpoints()};
  procfs::Host host{files, clock, cgroups.root()};
  procfs::Registry registry{{files, host, clock}, cgroups.hierarchies()};

  void refresh() {
    for (const char* path : {"/a", kContainer}) cgroups.create(path);
    files.close_below(cgroups.root());
    clock.advance(1min);
  }

  void put(std::string_view record) {
    const auto& file = kFiles[static_cast<unsigned char>(record.front()) % kFiles.size()];
    const auto* hierarchy = cgroups.hierarchies().of(file.controller);
    if (hierarchy == nullptr) hierarchy = cgroups.hierarchies().v2();
    if (hierarchy == nullptr) return;
    // The highest bit chooses the level.
    const auto path =
        hierarchy->directory((record.front() & 0x80) != 0 ? "/a" : kContainer) + "/" + file.name;
    if (record.substr(1) == "-")
      ::unlink(path.c_str());
    else
      cgroups.write(path.substr(cgroups.root().size()), record.substr(1));
  }
};

Machine& machine_of(unsigned mode) {
  static Machine machines[]{Machine(cgroup::Mode::legacy), Machine(cgroup::Mode::hybrid),
                            Machine(cgroup::Mode::unified)};
  return machines[mode % 3];
}

void check(const procfs::MemoryView& memory, std::uint64_t host_total) {
  require(memory.total <= host_total, "a container has no more memory than the machine");
  require(memory.free <= memory.available && memory.available <= memory.total, "free <= available <= total");
  require(memory.swap_free <= memory.swap_total, "no more swap is free than there is");
}

void check(const procfs::CpuView& view) {
  require(!view.cpus.empty() && view.cpus.size() == view.cpu_times.size(), "there is a CPU");
  const auto uptime = std::chrono::duration_cast<std::chrono::microseconds>(view.time.uptime).count();
  require(view.cpu_total.sum() == static_cast<std::uint64_t>(uptime) * view.cpus.size(),
          "CPUs spend each moment once");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto& machine = machine_of(data[0]);
  machine.refresh();
  for (const auto record : split(fuzz::text_of(data + 1, size - 1), '\0'))
    if (!record.empty()) machine.put(record);
  const auto container = machine.registry.add({.id = "box",
                                               .init = ::getpid(),
                                               .cgroup_path = kContainer,
                                               .boottime_offset = -machine.clock.boottime().count(),
                                               .own_time_namespace = true});
  if (!container) return 0;
  machine.clock.advance(90s);
  if (const auto memory = (*container)->memory()) check(**memory, machine.host.memory()->total);
  if (const auto cpu = (*container)->cpu()) check(**cpu);
  for (const auto& row : procfs::file_table()) {
    const auto text = row.render(**container, 0);
    // Pressure is the kernel's text as it is.
    const bool own = row.pressure == nullptr;
    require(!text || !own || text->empty() || text->back() == '\n', "a file ends with a whole line");
    require(text || !text.error().message().empty(), "an error says something");
  }
  machine.registry.remove("box");
  return 0;
}
