// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// From the units of runtime-spec (which are those of cgroup v1) to those of v2.
namespace nacre::runtime::convert {

// cpu.shares (2 to 262144, 1024 is normal) to cpu.weight (1 to 10000, 100 is normal): quadratic in
// the logarithm, so that the minimum, the normal value and the maximum all meet. This is what runc
// and crun have agreed on in 2025; the linear rule before it gave 1024 shares a weight of 39.
std::uint64_t weight_of_shares(std::uint64_t shares);

// blkio.weight (10 to 1000) to io.weight (1 to 10000), linear.
std::uint64_t io_weight(std::uint64_t blkio_weight);

}  // namespace nacre::runtime::convert
