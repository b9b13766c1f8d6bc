// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "procfs/sample/sample.h"

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
  // The name in /proc/diskstats of a block device; nothing when the machine has none.
  std::optional<std::string> disk_name(unsigned major, unsigned minor);

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

  HotFiles& files_;
  const Clock& clock_;
  const std::string root_;
  std::mutex mutex_;  // held while reading; takes HotFiles' only
  Kept<HostMemory> memory_;
  Kept<std::vector<unsigned>> online_;
  Kept<std::shared_ptr<const std::string>> cpuinfo_;
  std::map<std::pair<unsigned, unsigned>, std::string> disk_names_;
};

}  // namespace nacre::procfs
