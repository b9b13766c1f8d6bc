// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/host.h"

#include "base/parse.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
constexpr auto kMemoryLifetime = 20ms;
constexpr auto kCpuLifetime = 1s;

}  // namespace

Result<HostMemory> Host::memory() {
  const std::lock_guard lock(mutex_);
  if (!fresh(memory_, kMemoryLifetime))
    memory_ = {clock_.boottime(), TRY(parse_host_memory(TRY(files_.read(root_ + "/proc/meminfo"))))};
  return *memory_.value;
}

Result<std::vector<unsigned>> Host::online_cpus() {
  const std::lock_guard lock(mutex_);
  if (!fresh(online_, kCpuLifetime)) {
    const auto path = root_ + "/sys/devices/system/cpu/online";
    auto cpus = TRY(during(path, parse_list(trim(TRY(files_.read(path))))));
    if (cpus.empty()) return bad_input(path + " names no CPU");
    online_ = {clock_.boottime(), std::move(cpus)};
  }
  return *online_.value;
}

Result<std::shared_ptr<const std::string>> Host::cpuinfo() {
  const std::lock_guard lock(mutex_);
  if (!fresh(cpuinfo_, kCpuLifetime))
    cpuinfo_ = {clock_.boottime(),
                std::make_shared<const std::string>(TRY(sys::read_file(root_ + "/proc/cpuinfo")))};
  return *cpuinfo_.value;
}

Result<std::shared_ptr<const std::vector<std::string>>> Host::vmstat_names() {
  const std::lock_guard lock(mutex_);
  if (!vmstat_names_) {
    std::vector<std::string> names;
    const auto text = TRY(sys::read_file(root_ + "/proc/vmstat"));
    cgroup::for_each_key(text, [&](std::string_view name, std::uint64_t) { names.emplace_back(name); });
    vmstat_names_ = std::make_shared<const std::vector<std::string>>(std::move(names));
  }
  return vmstat_names_;
}

std::optional<Host::Disk> Host::disk(unsigned major, unsigned minor) {
  const std::lock_guard lock(mutex_);
  auto& disk = disks_[{major, minor}];
  if (disk.name.empty()) {
    // A link such as ../../devices/pci0000:00/…/block/vda.
    const auto path = root_ + "/sys/dev/block/" + std::to_string(major) + ":" + std::to_string(minor);
    const auto target = sys::read_link_at(AT_FDCWD, path.c_str());
    if (target) disk.name = target->substr(target->find_last_of('/') + 1);
    // In sectors of 512 bytes, whatever the device's own are.
    if (const auto size = sys::read_file(path + "/size"))
      disk.kib = parse_int<std::uint64_t>(trim(*size)).value_or(0) / 2;
  }
  if (disk.name.empty()) return std::nullopt;
  return disk;
}

}  // namespace nacre::procfs
