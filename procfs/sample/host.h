// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "procfs/sample/sample.h"
#include "procfs/sample/vm.h"

namespace nacre::procfs {

// The machine's own numbers, read once for all containers and kept for a moment.
class Host {
 public:
  // `root` is put before every path (tests with a fake tree).
  Host(HotFiles& files, const Clock& clock, std::string root = "")
      : files_(files), clock_(clock), root_(std::move(root)) {}

  Result<HostMemory> memory();
  Result<std::vector<unsigned>> online_cpus();
  // /proc/cpuinfo; costly on large machines, so kept for a second.
  Result<std::shared_ptr<const std::string>> cpuinfo();
  // The names in /proc/vmstat, which depend on how the kernel was built.
  Result<std::shared_ptr<const VmstatNames>> vmstat_names();
  // A block device as /proc/partitions has it; nothing when the machine has none.
  struct Disk {
    std::string name;
    std::uint64_t sectors = 0;  // of 512 bytes, whatever the device's own are
  };
  std::optional<Disk> disk(unsigned major, unsigned minor);

  const std::string& root() const { return root_; }

 private:
  template <typename Value>
  struct Kept {
    std::chrono::nanoseconds read_at{};
    std::optional<Value> value;
  };
  template <typename Value>
  bool fresh(const Kept<Value>& kept, std::chrono::nanoseconds lifetime) const {
    return kept.value && clock_.boottime() - kept.read_at < lifetime;
  }

  std::uint64_t transparent_huge_page();

  HotFiles& files_;
  const Clock& clock_;
  const std::string root_;
  std::mutex mutex_;  // held while reading; takes HotFiles' only
  Kept<HostMemory> memory_;
  Kept<std::vector<unsigned>> online_;
  Kept<std::shared_ptr<const std::string>> cpuinfo_;
  std::shared_ptr<const VmstatNames> vmstat_names_;
  std::map<std::pair<unsigned, unsigned>, Kept<Disk>> disks_;
  std::optional<std::uint64_t> transparent_huge_page_;
};

}  // namespace nacre::procfs
