// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "procfs/sample/sample.h"

namespace nacre::procfs {

// The machine's CPUs a container appears to have, ascending. N, their count, is the smallest quota of the
// container and its ancestors, rounded up, at least 1 and at most the CPUs its cpuset allows. Every file and
// system call uses it.
std::vector<unsigned> visible_cpus(const CpuSample& sample, const std::vector<unsigned>& online);

// The numbers they have in the container: their positions, 0 … N-1.
std::vector<unsigned> renumbered(const std::vector<unsigned>& cpus);

}  // namespace nacre::procfs
