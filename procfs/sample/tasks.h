// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "procfs/sample/hot_files.h"
#include "procfs/sample/places.h"

namespace nacre::procfs {

// The youngest thread of a container.
struct NewestThread {
  pid_t number = 0;               // as we see it
  std::uint64_t start_ticks = 0;  // tells it from one that gets the same number later
  pid_t innermost = 0;            // its number as the container sees it
};

// The threads of a container at one moment.
struct TaskCounts {
  std::uint64_t total = 0;
  std::uint64_t running = 0;  // state R
  std::uint64_t blocked = 0;  // state D
  NewestThread newest{};
};

// Looks at no more than this many threads; the rest is assumed to be alike.
inline constexpr std::size_t kTaskBudget = 2048;

// Counts the threads in a container's cgroup and all cgroups below it. `proc` is where proc is mounted. The
// kernel writes much to tell a thread's innermost number, so the one `known` is not asked again.
Result<TaskCounts> sample_tasks(HotFiles& files, const Places& places, const std::string& proc,
                                const NewestThread& known);

// The last word of "NSpid:" in /proc/PID/status: the number in the innermost namespace.
pid_t parse_innermost_pid(std::string_view status);

}  // namespace nacre::procfs
