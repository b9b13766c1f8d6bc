// SPDX-License-Identifier: Apache-2.0
#include "base/parse.h"

#include <cstdint>
#include "runtime/cgroup/convert.h"
#include "runtime/cgroup/settings.h"

namespace nacre::runtime {
namespace {

constexpr const char* kQuotaFix =
    "a quota is 1000 microseconds or more, a period 1000 to 1000000, and neither the parent's share can be "
    "exceeded nor the quota by the burst";

// What was asked, "not asked" (zero) taken out and "no quota" made -1.
struct Bandwidth {
  std::optional<std::int64_t> quota;
  std::optional<std::uint64_t> period, burst;

  explicit Bandwidth(const spec::CpuResources& cpu) : quota(cpu.quota), period(cpu.period), burst(cpu.burst) {
    if (quota == 0) quota.reset();
    if (quota && *quota < 0) quota = -1;
    if (period == 0u) period.reset();
  }
  bool limits() const { return period || burst || (quota && *quota > 0); }
};

Setting setting(std::string_view what, std::string_view asked, std::string file, std::string value) {
  return {.limit = std::string(what) + " " + std::string(asked),
          .controller = "cpu",
          .file = std::move(file),
          .value = std::move(value),
          .fix = kQuotaFix};
}

// Each of the three is checked against the other two as they are at that moment.
void add_v1(const Bandwidth& cpu, std::vector<Setting>& out) {
  const auto add = [&](std::string_view what, std::string file, const std::string& value) {
    out.push_back(setting(what, value, std::move(file), value));
    out.back().depends_on_later = true;
  };
  if (cpu.period) add("cpu period", "cpu.cfs_period_us", std::to_string(*cpu.period));
  if (cpu.quota) add("cpu quota", "cpu.cfs_quota_us", std::to_string(*cpu.quota));
  if (cpu.burst) add("cpu burst", "cpu.cfs_burst_us", std::to_string(*cpu.burst));
}

// One file, "QUOTA PERIOD"; a missing second word keeps the period.
void add_v2(const Bandwidth& cpu, const CgroupFacts& facts, std::vector<Setting>& out) {
  if (cpu.quota || cpu.period) {
    std::string quota = cpu.quota && *cpu.quota > 0 ? std::to_string(*cpu.quota) : "max";
    if (!cpu.quota) {
      const auto now = facts.read("cpu", "cpu.max").value_or("");
      if (const auto words = split_blank(now); !words.empty()) quota = words.front();
    }
    const auto what = cpu.quota ? "cpu quota" : "cpu period";
    const auto asked = cpu.quota ? std::to_string(*cpu.quota) : std::to_string(*cpu.period);
    out.push_back(
        setting(what, asked, "cpu.max", cpu.period ? quota + " " + std::to_string(*cpu.period) : quota));
    out.back().depends_on_later = true;
  }
  if (cpu.burst) {
    const auto text = std::to_string(*cpu.burst);
    out.push_back(setting("cpu burst", text, "cpu.max.burst", text));
  }
}

// An idle group takes no shares: the kernel refuses to set them while it is.
void add_shares_and_idle(const spec::CpuResources& cpu, bool v2, std::vector<Setting>& out) {
  const auto idle = [&] {
    if (!cpu.idle) return;
    const auto text = std::to_string(*cpu.idle);
    out.push_back({.limit = "cpu idle " + text,
                   .controller = "cpu",
                   .file = "cpu.idle",
                   .value = text,
                   .fix = "the value is 0 or 1, on Linux 5.15 or newer"});
  };
  if (cpu.idle == 0) idle();
  if (cpu.shares && *cpu.shares > 0) {
    const auto text = std::to_string(*cpu.shares);
    out.push_back({.limit = "cpu shares " + text,
                   .controller = "cpu",
                   .file = v2 ? "cpu.weight" : "cpu.shares",
                   .value = v2 ? std::to_string(convert::weight_of_shares(*cpu.shares)) : text});
  }
  if (cpu.idle && *cpu.idle != 0) idle();
}

}  // namespace

Result<> add_cpu(const spec::CpuResources& cpu, const CgroupFacts& facts, std::vector<Setting>& out) {
  const Bandwidth bandwidth(cpu);
  const auto v2 = facts.on_v2("cpu");
  if (!v2) {
    if (bandwidth.limits()) return no_controller("cpu quota", "cpu");
    if (cpu.shares && *cpu.shares > 0)
      return no_controller("cpu shares " + std::to_string(*cpu.shares), "cpu");
    if (cpu.idle && *cpu.idle != 0) return no_controller("cpu idle", "cpu");
    return {};
  }
  add_shares_and_idle(cpu, *v2, out);
  if (*v2)
    add_v2(bandwidth, facts, out);
  else
    add_v1(bandwidth, out);
  return {};
}

}  // namespace nacre::runtime
