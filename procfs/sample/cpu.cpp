// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/sample.h"

#include <cstdint>
#include <string_view>

#include "base/parse.h"

namespace nacre::procfs {
namespace {

Result<cgroup::Quota> sample_quota(HotFiles& files, const std::string& directory, bool v2) {
  if (v2) return during(directory, cgroup::parse_cpu_max(TRY(files.read(directory + "/cpu.max"))));
  const auto quota =
      TRY(during(directory, cgroup::parse_limit(TRY(files.read(directory + "/cpu.cfs_quota_us")))));
  const auto period =
      TRY(during(directory, cgroup::parse_limit(TRY(files.read(directory + "/cpu.cfs_period_us")))));
  if (period == 0) return bad_input(directory + ": cpu.cfs_period_us is 0");
  return cgroup::Quota{quota, period};
}

// A v1 cgroup with an empty set (nobody wrote one) cannot hold processes: the nearest
// ancestor with a set decides.
Result<std::vector<unsigned>> sample_allowed(HotFiles& files, const Place& place) {
  const char* const name = place.v2 ? "/cpuset.cpus.effective" : "/cpuset.effective_cpus";
  for (const auto& directory : place.levels) {
    const auto text = TRY(files.read(directory + name));
    auto allowed = TRY(during(directory, parse_list(trim(text))));
    if (!allowed.empty()) return allowed;
  }
  return std::vector<unsigned>{};
}

Result<CpuUsage> sample_usage(HotFiles& files, const Place& place) {
  CpuUsage usage;
  if (place.v2) {
    const auto text = TRY(files.read(place.own + "/cpu.stat"));
    usage.total = cgroup::value_of(text, "usage_usec");
    usage.user = cgroup::value_of(text, "user_usec");
    usage.system = cgroup::value_of(text, "system_usec");
    usage.nice = cgroup::value_of(text, "nice_usec");
    usage.throttled = cgroup::value_of(text, "throttled_usec");
    return usage;
  }
  const auto microseconds = [&](const char* name) -> Result<std::uint64_t> {
    return TRY(cgroup::parse_limit(TRY(files.read(place.own + name)))) / 1000;
  };
  usage.total = TRY(microseconds("/cpuacct.usage"));
  usage.user = TRY(microseconds("/cpuacct.usage_user"));
  usage.system = TRY(microseconds("/cpuacct.usage_sys"));
  return usage;
}

// "total=" of the line "full": microseconds (Documentation/accounting/psi.rst). 0 where nobody counts.
std::uint64_t sample_io_stalled(HotFiles& files, const std::string& directory) {
  const auto text = directory.empty() ? Result<std::string>("") : files.read(directory + "/io.pressure");
  if (!text) return 0;
  for (const auto line : split(*text, '\n')) {
    constexpr std::string_view kTotal = "total=";
    const auto words = split_blank(line);
    if (words.empty() || words.front() != "full" || !words.back().starts_with(kTotal)) continue;
    return parse_int<std::uint64_t>(words.back().substr(kTotal.size())).value_or(0);
  }
  return 0;
}

}  // namespace

Result<CpuSample> sample_cpu(HotFiles& files, const Places& places) {
  CpuSample sample;
  if (places.quota)
    for (const auto& directory : places.quota->levels)
      sample.quotas.push_back(TRY(sample_quota(files, directory, places.quota->v2)));
  if (places.cpuset) sample.allowed = TRY(sample_allowed(files, *places.cpuset));
  if (places.usage && !places.usage->own.empty()) sample.usage = TRY(sample_usage(files, *places.usage));
  // v1 counts throttling beside the quota.
  if (places.quota && !places.quota->v2 && !places.quota->own.empty())
    sample.usage.throttled =
        cgroup::value_of(TRY(files.read(places.quota->own + "/cpu.stat")), "throttled_time") / 1000;
  sample.usage.io_stalled = sample_io_stalled(files, places.pressure);
  return sample;
}

Result<std::vector<cgroup::DeviceIo>> sample_io(HotFiles& files, const Places& places) {
  if (!places.io || places.io->own.empty()) return std::vector<cgroup::DeviceIo>{};
  const auto& own = places.io->own;
  if (places.io->v2) return cgroup::parse_io_stat(TRY(files.read(own + "/io.stat")));
  // Recursive files came with Linux 5.0; before, a cgroup's children count for themselves.
  const auto read = [&](const std::string& name) -> Result<std::string> {
    auto text = files.read(own + name + "_recursive");
    if (!text && text.error().code == ENOENT) return files.read(own + name);
    return text;
  };
  const auto bytes = TRY(read("/blkio.throttle.io_service_bytes"));
  return cgroup::parse_blkio(bytes, TRY(read("/blkio.throttle.io_serviced")));
}

}  // namespace nacre::procfs
