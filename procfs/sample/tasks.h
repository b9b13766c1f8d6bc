// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace nacre::procfs {

// The threads of a container at one moment.
struct TaskCounts {
  std::uint64_t total = 0;
  std::uint64_t running = 0;  // state R
  std::uint64_t blocked = 0;  // state D
  pid_t newest = 0;           // the youngest thread's number, as the container sees it
};

// Looks at no more than this many threads; the rest is assumed to be alike.
inline constexpr std::size_t kTaskBudget = 2048;

// Counts the threads in a cgroup and all cgroups below it. `proc` is where proc is mounted.
Result<TaskCounts> sample_tasks(const std::string& directory, const std::string& proc = "/proc");

// The last word of "NSpid:" in /proc/PID/status: the number in the innermost namespace.
pid_t parse_innermost_pid(std::string_view status);

}  // namespace nacre::procfs
