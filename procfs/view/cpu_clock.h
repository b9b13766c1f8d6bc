// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "procfs/sample/sample.h"

namespace nacre::procfs {

// Where a CPU's time went, in microseconds.
struct CpuTimes {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, steal = 0;
  std::uint64_t sum() const { return user + nice + system + idle + steal; }
  CpuTimes& operator+=(const CpuTimes& other);
  bool operator==(const CpuTimes&) const = default;
};

// The times of a container's virtual CPUs. The kernel counts a container's CPU time as one
// number; here it is spread evenly over N CPUs, each of which spends every microsecond of
// the container's life exactly once. Time the quota withheld shows as steal, the rest as
// idle. Times are only ever added to, so no counter goes backwards, and with a constant N
// the sum of all is N times the uptime.
class CpuClock {
 public:
  // Brings the clock to `uptime` microseconds after the container's start. An earlier time
  // or smaller usage than before counts as no progress.
  void advance(std::uint64_t uptime, std::size_t count, const CpuUsage& usage);

  // Of the `count` CPUs given to advance() last.
  std::vector<CpuTimes> cpus() const {
    return {cpus_.begin(), cpus_.begin() + static_cast<std::ptrdiff_t>(count_)};
  }
  // The "cpu" line: all CPUs there ever were, so that it grows even when a quota shrinks.
  CpuTimes total() const;

  // For another process that goes on with it.
  std::vector<std::uint64_t> state() const;
  void restore(const std::vector<std::uint64_t>& words);  // of state(); others are ignored

 private:
  struct Share {
    std::uint64_t user, nice, system;
  };
  Share split(std::uint64_t busy, const CpuUsage& usage);

  std::vector<CpuTimes> cpus_;
  std::size_t count_ = 0;
  std::uint64_t uptime_ = 0;
  CpuUsage last_;
  std::uint64_t debt_ = 0;  // used, but more than the elapsed time can hold; shown later
  bool started_ = false;
};

}  // namespace nacre::procfs
