// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/host.h"

#include "base/parse.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;
constexpr auto kMemoryLifetime = 20ms;
constexpr auto kCpuLifetime = 1s;
constexpr auto kDiskLifetime = 10s;

}  // namespace

Result<HostMemory> Host::memory() {
  const std::lock_guard lock(mutex_);
  if (!fresh(memory_, kMemoryLifetime)) {
    auto memory = TRY(parse_host_memory(TRY(files_.read(root_ + "/proc/meminfo"))));
    if (memory.hugetlb > 0)
      memory.huge_pages = TRY(host_huge_pages(files_, root_ + "/sys/kernel/mm/hugepages"));
    memory.transparent_huge_page = transparent_huge_page();
    memory_ = {clock_.boottime(), std::move(memory)};
  }
  return *memory_.value;
}

// With mutex_ held.
std::uint64_t Host::transparent_huge_page() {
  if (!transparent_huge_page_) {
    const auto text = sys::read_file(root_ + "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
    // A kernel without them has none to count.
    if (!text && text.error().code != ENOENT) return 0;
    const auto bytes = text ? parse_int<std::uint64_t>(trim(*text)) : std::nullopt;
    transparent_huge_page_ = bytes.value_or(0) / 1024;
  }
  return *transparent_huge_page_;
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

Result<std::shared_ptr<const VmstatNames>> Host::vmstat_names() {
  const std::lock_guard lock(mutex_);
  if (!vmstat_names_) {
    std::vector<std::string> names;
    const auto text = TRY(sys::read_file(root_ + "/proc/vmstat"));
    cgroup::for_each_key(text, [&](std::string_view name, std::uint64_t) { names.emplace_back(name); });
    vmstat_names_ = std::make_shared<const VmstatNames>(std::move(names));
  }
  return vmstat_names_;
}

std::optional<Host::Disk> Host::disk(unsigned major, unsigned minor) {
  const std::lock_guard lock(mutex_);
  auto& kept = disks_[{major, minor}];
  if (!fresh(kept, kDiskLifetime)) {
    Disk disk;
    // A link such as ../../devices/pci0000:00/…/block/vda.
    const auto path = root_ + "/sys/dev/block/" + std::to_string(major) + ":" + std::to_string(minor);
    const auto target = sys::read_link_at(AT_FDCWD, path.c_str());
    if (target) disk.name = target->substr(target->find_last_of('/') + 1);
    if (const auto size = sys::read_file(path + "/size"))
      disk.sectors = parse_int<std::uint64_t>(trim(*size)).value_or(0);
    kept = {clock_.boottime(), std::move(disk)};
  }
  if (kept.value->name.empty()) return std::nullopt;
  return kept.value;
}

}  // namespace nacre::procfs
