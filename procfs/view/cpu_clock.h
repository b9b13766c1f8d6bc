// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "procfs/sample/sample.h"

namespace nacre::procfs {

// Where a CPU's time went, in microseconds.
struct CpuTimes {
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, steal = 0;
  std::uint64_t sum() const { return user + nice + system + idle + iowait + steal; }
  CpuTimes& operator+=(const CpuTimes& other);
  bool operator==(const CpuTimes&) const = default;
};

// The times of a container's virtual CPUs. The kernel counts a container's CPU time as one
// number; here it is spread evenly over N CPUs, each of which spends every microsecond in
// which it is there exactly once. Time the quota withheld shows as steal, time in which all
// threads waited for I/O as iowait of one of them, the rest as idle.
// Times are only ever added to, so no counter goes backwards, and the sum of all is the
// integral of N over the container's life.
class CpuClock {
 public:
  // Brings the clock to `uptime` microseconds after the container's start, at which it has the CPUs of these
  // numbers, at least one. An earlier time or smaller usage than before counts as no progress.
  void advance(std::uint64_t uptime, const std::vector<unsigned>& numbers, const CpuUsage& usage);

  // Of the CPUs given to advance() last, in their order.
  std::vector<CpuTimes> cpus() const;
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

  std::map<unsigned, CpuTimes> cpus_;  // by number
  std::vector<unsigned> numbers_;
  std::uint64_t uptime_ = 0;
  CpuUsage last_;
  std::uint64_t debt_ = 0;  // used, but more than the elapsed time can hold; shown later
  bool started_ = false;
};

}  // namespace nacre::procfs
