// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace nacre::procfs {

// Load averages over 1, 5 and 15 minutes in the kernel's fixed point (kernel/sched/loadavg.c).
inline constexpr unsigned kLoadShift = 11;
inline constexpr std::uint64_t kLoadOne = 1u << kLoadShift;
inline constexpr std::chrono::seconds kLoadTick{5};

using Loads = std::array<std::uint64_t, 3>;

// One tick later with `active` threads running or in uninterruptible sleep.
Loads next_loads(const Loads& loads, std::uint64_t active);

}  // namespace nacre::procfs
