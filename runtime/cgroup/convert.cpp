// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/convert.h"

#include <algorithm>
#include <cmath>

namespace nacre::runtime::convert {

std::uint64_t weight_of_shares(std::uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  // The parabola through (log2 2, 10^0), (log2 1024, 10^2) and (log2 262144, 10^4).
  const double l = std::log2(static_cast<double>(shares));
  const double exponent = (l * l + 125 * l) / 612.0 - 7.0 / 34.0;
  // 1024 shares must be 100 in spite of rounding errors above it.
  return static_cast<std::uint64_t>(std::ceil(std::pow(10, exponent) - 1e-9));
}

std::uint64_t io_weight(std::uint64_t blkio_weight) {
  const auto weight = std::clamp<std::uint64_t>(blkio_weight, 10, 1000);
  return 1 + (weight - 10) * 9999 / 990;
}

}  // namespace nacre::runtime::convert
