// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nacre::procfs {

// Load averages over 1, 5 and 15 minutes in the kernel's fixed point (kernel/sched/loadavg.c).
inline constexpr unsigned kLoadShift = 11;
inline constexpr std::uint64_t kLoadOne = 1u << kLoadShift;
inline constexpr std::chrono::seconds kLoadTick{5};

using Loads = std::array<std::uint64_t, 3>;

// So many ticks later, each with `active` threads running or in uninterruptible sleep.
Loads next_loads(const Loads& loads, std::uint64_t active, std::uint64_t ticks = 1);

// Percent of the last 10, 60 and 300 seconds in which something waited: the line "some" of a pressure file
// (Documentation/accounting/psi.rst). Nothing for other text.
struct Pressure {
  double last10 = 0, last60 = 0, last300 = 0;
};
std::optional<Pressure> parse_pressure(std::string_view text);

// Load averages of a container of this age that nobody has followed: those of a container that has been,
// since its start, as its pressure says it was. Pressure tells for how long something waited and not how
// much, so this is an estimate: what is active now, less where it was calmer over the window than it is now,
// and more by the share of time in which something waited before. Without pressure: what is active now.
Loads estimated_loads(std::uint64_t active, const std::optional<Pressure>& pressure,
                      std::chrono::nanoseconds age);

// The load averages of one container, for as long as somebody reads them. All times are of one monotonic
// clock. Not thread-safe.
class FollowedLoad {
 public:
  // How long they are followed after they were read.
  static constexpr std::chrono::minutes kFollowed{15};

  // Nothing when they are not followed: start() is to be called.
  std::optional<Loads> read(std::chrono::nanoseconds now);
  // They go on from the last tick if that was in the last 15 minutes, or from `estimate`.
  Loads start(std::chrono::nanoseconds now, std::uint64_t active, const Loads& estimate);
  // The ticks that are due. False when they are not to be followed any more.
  bool tick(std::chrono::nanoseconds now, std::uint64_t active);

  // For a successor of this daemon, which goes on from there when it is asked.
  std::vector<std::uint64_t> state() const;
  void restore(const std::vector<std::uint64_t>& state);

 private:
  void catch_up(std::chrono::nanoseconds now, std::uint64_t active);

  Loads loads_{};
  std::chrono::nanoseconds last_tick_{};
  std::chrono::nanoseconds last_read_{};
  bool started_ = false;  // loads_ was so at last_tick_
  bool followed_ = false;
};

}  // namespace nacre::procfs
