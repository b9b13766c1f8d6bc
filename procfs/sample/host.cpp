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

std::optional<std::string> Host::disk_name(unsigned major, unsigned minor) {
  const std::lock_guard lock(mutex_);
  auto& name = disk_names_[{major, minor}];
  if (name.empty()) {
    // A link such as ../../devices/pci0000:00/…/block/vda.
    const auto path = root_ + "/sys/dev/block/" + std::to_string(major) + ":" + std::to_string(minor);
    const auto target = sys::read_link_at(AT_FDCWD, path.c_str());
    if (target) name = target->substr(target->find_last_of('/') + 1);
  }
  if (name.empty()) return std::nullopt;
  return name;
}

}  // namespace nacre::procfs
