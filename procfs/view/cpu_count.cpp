// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/cpu_count.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>

namespace nacre::procfs {

std::vector<unsigned> visible_cpus(const CpuSample& sample, const std::vector<unsigned>& online) {
  std::vector<unsigned> cpus;
  std::ranges::set_intersection(sample.allowed, online, std::back_inserter(cpus));
  if (cpus.empty()) cpus = online;
  std::uint64_t count = cpus.size();
  for (const auto& quota : sample.quotas) {
    if (quota.quota == cgroup::kUnlimited) continue;
    const auto whole = quota.quota / quota.period + (quota.quota % quota.period != 0 ? 1 : 0);
    count = std::min(count, std::max<std::uint64_t>(whole, 1));
  }
  cpus.resize(count);
  return cpus;
}

std::vector<unsigned> renumbered(const std::vector<unsigned>& cpus) {
  std::vector<unsigned> numbers(cpus.size());
  std::iota(numbers.begin(), numbers.end(), 0u);
  return numbers;
}

}  // namespace nacre::procfs
