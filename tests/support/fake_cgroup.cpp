// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_cgroup.h"

#include <cstdint>
#include <stdexcept>

#include "base/sys/file.h"

namespace nacre::test {
namespace {

constexpr std::uint64_t kUnlimited = UINT64_MAX;
constexpr std::string_view kV1Unlimited = "9223372036854771712";

void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

std::string v1_mount(int id, const std::string& name) {
  return std::to_string(id) + " 1 0:" + std::to_string(id) + " / /sys/fs/cgroup/" + name +
         " rw - cgroup cgroup rw," + name + "\n";
}

std::string v2_mount(int id, const std::string& at) {
  return std::to_string(id) + " 1 0:" + std::to_string(id) + " / " + at + " rw - cgroup2 cgroup2 rw\n";
}

std::string limit_text(std::uint64_t limit, bool v2) {
  if (limit != kUnlimited) return std::to_string(limit) + "\n";
  return v2 ? "max\n" : std::string(kV1Unlimited) + "\n";
}

// Some of the kernel's lines, with numbers that no container may show.
constexpr std::string_view kVmstat =
    "nr_free_pages 999001\nnr_free_pages_blocks 999002\nnr_inactive_file 999003\nnr_mapped 999004\n"
    "nr_file_pages 999005\nnr_anon_transparent_hugepages 999006\nnr_kernel_stack 999007\nnr_dirtied 999008\n"
    "pgpgin 999009\npgpgout 999010\npswpin 999011\npgfault 999012\npgmajfault 999013\noom_kill 999014\n"
    "workingset_refault_anon 999015\nhtlb_buddy_alloc_success 999016\n";

std::string pressure_text(std::string_view resource) {
  return "some avg10=1.50 avg60=0.20 avg300=0.00 total=" + std::to_string(resource.size()) +
         "000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=" + (resource == "io" ? "2000000" : "10") + "\n";
}

}  // namespace

FakeCgroup::FakeCgroup(cgroup::Mode mode, unsigned cpus) : mode_(mode) {
  std::string mounts;
  if (mode == cgroup::Mode::unified) {
    mounts = v2_mount(40, "/sys/fs/cgroup");
    write("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids hugetlb\n");
  } else {
    int id = 30;
    for (const char* name : {"cpu,cpuacct", "cpuset", "memory", "blkio", "pids", "hugetlb"})
      mounts += v1_mount(id++, name);
    if (mode == cgroup::Mode::hybrid) mounts += v2_mount(40, "/sys/fs/cgroup/unified");
    write("/sys/fs/cgroup/unified/cgroup.controllers", "");
  }
  write("/proc/self/mountinfo", mounts);
  write("/proc/meminfo",
        "MemTotal:        8388608 kB\nMemFree:         4194304 kB\nMemAvailable:    6291456 kB\n"
        "SwapTotal:       2097152 kB\nSwapFree:        1048576 kB\nHugepagesize:       2048 kB\n"
        "Hugetlb:         2228224 kB\n");
  const std::string pools = "/sys/kernel/mm/hugepages/hugepages-";
  write(pools + "2048kB/nr_hugepages", "64\n");
  write(pools + "2048kB/free_hugepages", "50\n");
  write(pools + "1048576kB/nr_hugepages", "2\n");
  write(pools + "1048576kB/free_hugepages", "2\n");
  write("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152\n");
  const auto last = std::to_string(cpus - 1);
  write("/sys/devices/system/cpu/online", cpus == 1 ? "0\n" : "0-" + last + "\n");
  std::string cpuinfo;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const auto number = std::to_string(cpu);
    cpuinfo += "processor\t: " + number + "\nmodel name\t: CPU number " + number +
               "\nphysical id\t: " + std::to_string(cpu / 2) +
               "\nsiblings\t: 2\ncore id\t\t: " + std::to_string(cpu % 2) +
               "\ncpu cores\t: 2\napicid\t\t: " + number + "\nflags\t\t: fpu\npower management:\n\n";
  }
  write("/proc/cpuinfo", cpuinfo);
  write("/proc/vmstat", kVmstat);
  must(sys::make_directories(root() + "/sys/dev/block"));
  auto detected = cgroup::Hierarchies::detect(root());
  if (!detected) throw std::runtime_error(detected.error().message());
  hierarchies_ = std::move(*detected);
}

void FakeCgroup::write(const std::string& path, std::string_view text) {
  const auto full = root() + path;
  must(sys::make_directories(full.substr(0, full.find_last_of('/'))));
  must(sys::create_file(full, text));
}

std::string FakeCgroup::file(std::string_view controller, const std::string& path, const char* v1,
                             const char* v2) const {
  const auto* hierarchy = hierarchies_.of(controller);
  if (hierarchy == nullptr) hierarchy = hierarchies_.v2();
  return hierarchy->directory(path).substr(root().size()) + "/" + (hierarchy->v2 ? v2 : v1);
}

void FakeCgroup::create(const std::string& path) {
  for (const auto& hierarchy : hierarchies_.all()) {
    const auto directory = hierarchy.directory(path).substr(root().size());
    if (hierarchy.v2)
      for (const auto* const resource : {"cpu", "memory", "io"})
        write(directory + "/" + resource + ".pressure", pressure_text(resource));
    write(directory + "/cgroup.procs", "");
    write(directory + (hierarchy.v2 ? "/cgroup.threads" : "/tasks"), "");
    // A hybrid machine's v2 cgroups have no controllers, but count CPU time.
    if (hierarchy.v2) write(directory + "/cpu.stat", "usage_usec 999999999\nuser_usec 0\nsystem_usec 0\n");
  }
  set_memory(path, kUnlimited, 0);
  set_swap(path, kUnlimited, 0);
  set_memory_stat(path, "");
  write(file("memory", path, "memory.oom_control", "memory.events"),
        memory_v2() ? "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\n"
                    : "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  set_quota(path, kUnlimited);
  set_cpuset(path, "");
  set_usage(path, 0, 0);
  if (memory_v2()) {
    write(file("io", path, "", "io.stat"), "");
  } else {
    write(file("blkio", path, "blkio.throttle.io_service_bytes", ""), "Total 0\n");
    write(file("blkio", path, "blkio.throttle.io_service_bytes_recursive", ""), "Total 0\n");
    write(file("blkio", path, "blkio.throttle.io_serviced_recursive", ""), "Total 0\n");
  }
}

void FakeCgroup::remove(const std::string& path) {
  for (const auto& hierarchy : hierarchies_.all()) must(sys::remove_tree(hierarchy.directory(path)));
}

void FakeCgroup::set_memory(const std::string& path, std::uint64_t limit, std::uint64_t usage) {
  write(file("memory", path, "memory.limit_in_bytes", "memory.max"), limit_text(limit, memory_v2()));
  write(file("memory", path, "memory.usage_in_bytes", "memory.current"), std::to_string(usage) + "\n");
}

void FakeCgroup::set_swap(const std::string& path, std::uint64_t limit, std::uint64_t usage) {
  if (memory_v2()) {
    write(file("memory", path, "", "memory.swap.max"), limit_text(limit, true));
    write(file("memory", path, "", "memory.swap.current"), std::to_string(usage) + "\n");
    return;
  }
  // v1 counts memory and swap together.
  const auto number = [&](const char* name) {
    const auto text = sys::read_file(root() + file("memory", path, name, ""));
    return text ? std::stoull(*text) : 0;
  };
  const auto memory = number("memory.limit_in_bytes");
  write(file("memory", path, "memory.memsw.limit_in_bytes", ""),
        limit_text(limit == kUnlimited ? limit : limit + memory, false));
  write(file("memory", path, "memory.memsw.usage_in_bytes", ""),
        std::to_string(number("memory.usage_in_bytes") + usage) + "\n");
}

void FakeCgroup::set_quota(const std::string& path, std::uint64_t quota, std::uint64_t period) {
  const auto number = quota == kUnlimited ? (memory_v2() ? "max" : "-1") : std::to_string(quota);
  if (memory_v2()) {
    write(file("cpu", path, "", "cpu.max"), number + " " + std::to_string(period) + "\n");
  } else {
    write(file("cpu", path, "cpu.cfs_quota_us", ""), number + "\n");
    write(file("cpu", path, "cpu.cfs_period_us", ""), std::to_string(period) + "\n");
  }
}

void FakeCgroup::set_huge_pages(const std::string& path, const std::string& size, std::uint64_t limit,
                                std::uint64_t usage) {
  const auto name = [&](const char* rest) { return "hugetlb." + size + rest; };
  write(file("hugetlb", path, name(".limit_in_bytes").c_str(), name(".max").c_str()),
        limit_text(limit, memory_v2()));
  write(file("hugetlb", path, name(".usage_in_bytes").c_str(), name(".current").c_str()),
        std::to_string(usage) + "\n");
}

void FakeCgroup::set_cpuset(const std::string& path, const std::string& cpus) {
  write(file("cpuset", path, "cpuset.effective_cpus", "cpuset.cpus.effective"), cpus + "\n");
}

void FakeCgroup::set_usage(const std::string& path, std::uint64_t user, std::uint64_t system,
                           std::uint64_t throttled) {
  const auto text = [](std::uint64_t value) { return std::to_string(value); };
  if (memory_v2()) {
    write(file("cpu", path, "", "cpu.stat"),
          "usage_usec " + text(user + system) + "\nuser_usec " + text(user) + "\nsystem_usec " +
              text(system) + "\nnr_periods 0\nnr_throttled 0\nthrottled_usec " + text(throttled) + "\n");
    return;
  }
  write(file("cpuacct", path, "cpuacct.usage", ""), text((user + system) * 1000) + "\n");
  write(file("cpuacct", path, "cpuacct.usage_user", ""), text(user * 1000) + "\n");
  write(file("cpuacct", path, "cpuacct.usage_sys", ""), text(system * 1000) + "\n");
  write(file("cpu", path, "cpu.stat", ""),
        "nr_periods 0\nnr_throttled 0\nthrottled_time " + text(throttled * 1000) + "\n");
}

void FakeCgroup::set_memory_stat(const std::string& path, std::string_view text) {
  write(file("memory", path, "memory.stat", "memory.stat"), text);
}

void FakeCgroup::set_io(const std::string& path, const std::string& device, unsigned reads, unsigned writes) {
  const auto bytes = [](unsigned operations) { return std::to_string(operations * 4096); };
  if (memory_v2()) {
    write(file("io", path, "", "io.stat"), device + " rbytes=" + bytes(reads) + " wbytes=" + bytes(writes) +
                                               " rios=" + std::to_string(reads) +
                                               " wios=" + std::to_string(writes) + " dbytes=0 dios=0\n");
    return;
  }
  write(file("blkio", path, "blkio.throttle.io_service_bytes_recursive", ""),
        device + " Read " + bytes(reads) + "\n" + device + " Write " + bytes(writes) + "\nTotal 1\n");
  write(file("blkio", path, "blkio.throttle.io_serviced_recursive", ""),
        device + " Read " + std::to_string(reads) + "\n" + device + " Write " + std::to_string(writes) +
            "\nTotal 1\n");
}

void FakeCgroup::add_thread(const std::string& path, int number, char state, int inner) {
  const auto text = std::to_string(number);
  for (const auto& hierarchy : hierarchies_.all()) {
    const auto list = hierarchy.directory(path) + (hierarchy.v2 ? "/cgroup.threads" : "/tasks");
    const auto known = sys::read_file(list);
    must(sys::create_file(list, (known ? *known : std::string()) + text + "\n"));
  }
  write("/proc/" + text + "/stat",
        text + " (a name) " + std::string(1, state) + " 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0\n");
  write("/proc/" + text + "/status", "Name:\ta name\nNSpid:\t" + text + "\t" + std::to_string(inner) + "\n");
}

}  // namespace nacre::test
