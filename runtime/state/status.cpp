// SPDX-License-Identifier: Apache-2.0
#include <ctime>

#include "base/cgroup/hierarchy.h"
#include "base/sys/process.h"
#include "runtime/cgroup/manager.h"
#include "runtime/state/store.h"

namespace nacre::runtime {
namespace {

bool is_paused(const State& state) {
  if (state.cgroup_path.empty()) return false;
  const auto hierarchies = cgroup::Hierarchies::detect();
  if (!hierarchies) return false;
  const auto manager = CgroupManager::open(*hierarchies, state.cgroup_path);
  return manager && manager->frozen().value_or(false);
}

}  // namespace

bool init_lives(const State& state) {
  if (state.pid <= 0) return false;
  const auto now = sys::process_stat(state.pid);
  // A zombie has run to its end, whoever has not waited for it yet.
  return now && now->start_ticks == state.start_ticks && now->state != 'Z' && now->state != 'X';
}

std::string status(const State& state) {
  if (state.pid == 0) return "creating";
  if (!init_lives(state)) return "stopped";
  if (is_paused(state)) return "paused";
  return state.started ? "running" : "created";
}

std::string rfc3339_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char text[32];
  const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
  auto nanoseconds = std::to_string(now.tv_nsec);
  nanoseconds.insert(0, 9 - nanoseconds.size(), '0');
  return std::string(text, length) + nanoseconds + "Z";
}

}  // namespace nacre::runtime
