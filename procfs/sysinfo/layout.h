// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "procfs/sample/tasks.h"
#include "procfs/view/load.h"
#include "procfs/view/view.h"

// What sysinfo(2) and sched_getaffinity(2) write into the caller's memory, byte by byte.
namespace nacre::procfs {

// How wide the caller's `long` is.
enum class Abi { bits64, bits32 };

enum class Call { sysinfo, sched_getaffinity };
struct TrappedCall {
  Call call;
  Abi abi;
};
// Tells a call by seccomp_data's arch (AUDIT_ARCH_*) and number; nothing for another call.
std::optional<TrappedCall> trapped_call(std::uint32_t arch, int number);

// struct sysinfo from the numbers that /proc/meminfo, loadavg and uptime show. 64-bit
// callers get bytes, 32-bit ones pages when bytes do not fit, as from the kernel.
std::string sysinfo_bytes(const MemoryView& memory, std::chrono::nanoseconds uptime, const Loads& loads,
                          const TaskCounts& tasks, Abi abi);

struct CpuMaskRules {
  std::size_t cpus;       // nr_cpu_ids: the highest CPU number possible here, plus 1
  std::size_t mask_size;  // bytes the kernel copies at most
};
// The answer of sched_getaffinity(2) to a buffer of `length` bytes: the bytes to write (their
// number is the return value), from the first `count` CPUs of `real`, the caller's true
// mask. EINVAL by the kernel's own rules.
Result<std::string> affinity_bytes(const std::vector<unsigned char>& real, std::size_t count,
                                   std::uint64_t length, Abi abi, const CpuMaskRules& rules);

}  // namespace nacre::procfs
