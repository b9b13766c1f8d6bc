// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "procfs/render/render.h"

namespace nacre::procfs {
namespace {

// "CPU0       CPU1       ".
std::string columns(const std::vector<unsigned>& cpus) {
  std::string text;
  for (const auto cpu : cpus) {
    auto number = std::to_string(cpu);
    number.resize(std::max<std::size_t>(number.size(), 8), ' ');
    text += "CPU" + number;
  }
  return text + "\n";
}

}  // namespace

// fs/proc/interrupts.c, kernel/irq/proc.c: a container has no interrupts.
std::string render_interrupts(const std::vector<unsigned>& cpus) {
  return std::string(11, ' ') + columns(cpus);
}

// fs/proc/softirqs.c.
std::string render_softirqs(const std::vector<unsigned>& cpus) {
  constexpr std::array<std::string_view, 10> kNames{"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                                    "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};
  std::string text = std::string(20, ' ') + columns(cpus);
  for (const auto name : kNames) {
    text += std::string(12 - name.size(), ' ');
    text += name;
    text += ':';
    for (std::size_t i = 0; i < cpus.size(); ++i) text += std::string(10, ' ') + "0";
    text += '\n';
  }
  return text;
}

}  // namespace nacre::procfs
