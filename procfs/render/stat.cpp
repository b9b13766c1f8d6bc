// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>

#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

// USER_HZ, the unit of every tick in /proc, is 100 on all architectures of Linux that we build for.
constexpr std::uint64_t kMicrosecondsPerTick = 10'000;

void append_cpu(std::string& text, std::string_view name, const CpuTimes& times) {
  text += name;
  // user nice system idle iowait irq softirq steal guest guest_nice
  const std::array<std::uint64_t, 10> fields{times.user, times.nice, times.system, times.idle, times.iowait,
                                             0,          0,          times.steal,  0,          0};
  for (const auto field : fields) {
    text += ' ';
    text += std::to_string(field / kMicrosecondsPerTick);
  }
  text += '\n';
}

}  // namespace

std::string render_stat(const CpuView& view, const TaskCounts& tasks, std::uint64_t forks) {
  std::string text;
  append_cpu(text, "cpu ", view.cpu_total);
  for (std::size_t i = 0; i < view.cpu_times.size(); ++i)
    append_cpu(text, "cpu" + std::to_string(view.numbers[i]), view.cpu_times[i]);
  // Interrupts and context switches are not counted per container.
  text += "intr 0\nctxt 0\nbtime " + std::to_string(view.time.btime) + "\n";
  text += "processes " + std::to_string(forks) + "\n";
  text += "procs_running " + std::to_string(tasks.running + 1) + "\n";
  text += "procs_blocked " + std::to_string(tasks.blocked) + "\n";
  text += "softirq 0 0 0 0 0 0 0 0 0 0 0\n";
  return text;
}

}  // namespace nacre::procfs
