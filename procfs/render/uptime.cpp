// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

std::string hundredths(std::uint64_t value) {
  const auto fraction = value % 100;
  return std::to_string(value / 100) + (fraction < 10 ? ".0" : ".") + std::to_string(fraction);
}

// A fixed-point load as "1.05" (LOAD_INT and LOAD_FRAC in the kernel).
std::string load_text(std::uint64_t load) {
  const auto rounded = load + kLoadOne / 200;
  return hundredths((rounded >> kLoadShift) * 100 + (((rounded & (kLoadOne - 1)) * 100) >> kLoadShift));
}

}  // namespace

std::string render_uptime(const CpuView& view) {
  const auto up = std::chrono::duration_cast<std::chrono::milliseconds>(view.time.uptime).count() / 10;
  return hundredths(static_cast<std::uint64_t>(up)) + " " + hundredths(view.cpu_total.idle / 10'000) + "\n";
}

std::string render_loadavg(const Loads& loads, const TaskCounts& tasks) {
  std::string text;
  for (const auto load : loads) text += load_text(load) + " ";
  // The reading thread itself runs, natively; here it waits for us.
  const auto running = std::max<std::uint64_t>(std::min(tasks.running + 1, tasks.total), 1);
  return text + std::to_string(running) + "/" + std::to_string(std::max<std::uint64_t>(tasks.total, 1)) +
         " " + std::to_string(tasks.newest.innermost) + "\n";
}

}  // namespace nacre::procfs
