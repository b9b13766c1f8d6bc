// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/load.h"

namespace nacre::procfs {
namespace {

// 1/exp(5s/1min), 1/exp(5s/5min), 1/exp(5s/15min) in fixed point.
constexpr std::array<std::uint64_t, 3> kDecay{1884, 2014, 2037};

}  // namespace

Loads next_loads(const Loads& loads, std::uint64_t active) {
  const std::uint64_t target = active * kLoadOne;
  Loads next{};
  for (std::size_t i = 0; i < loads.size(); ++i) {
    std::uint64_t sum = loads[i] * kDecay[i] + target * (kLoadOne - kDecay[i]);
    // Round up while rising, so that a steady load is reached.
    if (target >= loads[i]) sum += kLoadOne - 1;
    next[i] = sum / kLoadOne;
  }
  return next;
}

}  // namespace nacre::procfs
