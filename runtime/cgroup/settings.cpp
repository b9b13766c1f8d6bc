// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/settings.h"

#include <array>
#include <cstdint>

namespace nacre::runtime {
namespace {

using spec::Resources;

// A limit that is one number or word in one file. The others have an order or a unit of their own
// and are functions below and in *_settings.cpp.
struct Row {
  std::string_view name;
  std::string_view controller, v1_file, v2_file;
  std::optional<std::string> (*asked)(const Resources&);  // v1 text
  std::string (*v2_text)(const std::string& v1_text);
  std::string_view fix;
};

std::string as_is(const std::string& text) { return text; }
std::string minus_one_is_max(const std::string& text) { return text == "-1" ? "max" : text; }

std::optional<std::string> non_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// Zero is "not asked for" in what engines write.
std::optional<std::string> non_zero(const std::optional<std::int64_t>& value) {
  if (!value || *value == 0) return std::nullopt;
  return *value < 0 ? "-1" : std::to_string(*value);
}

constexpr std::array kRows{
    Row{"memory reservation", "memory", "memory.soft_limit_in_bytes", "memory.low",
        [](const Resources& r) { return non_zero(r.memory.reservation); }, minus_one_is_max, ""},
    Row{"cpuset cpus", "cpuset", "cpuset.cpus", "cpuset.cpus",
        [](const Resources& r) { return non_empty(r.cpu.cpus); }, as_is,
        "name CPUs that are online and that the parent cgroup has"},
    Row{"cpuset mems", "cpuset", "cpuset.mems", "cpuset.mems",
        [](const Resources& r) { return non_empty(r.cpu.mems); }, as_is,
        "name memory nodes that are online and that the parent cgroup has"},
    Row{"pids limit", "pids", "pids.max", "pids.max",
        [](const Resources& r) -> std::optional<std::string> {
          if (!r.pids_limit) return std::nullopt;
          return *r.pids_limit <= 0 ? "max" : std::to_string(*r.pids_limit);
        },
        as_is, "ask for less than the kernel's own limit, 4194304"},
};

// No limit needs no controller.
bool is_unlimited(const std::string& text) { return text == "max" || text == "-1"; }

Result<> add_rows(const Resources& resources, const CgroupFacts& facts, std::vector<Setting>& out) {
  for (const auto& row : kRows) {
    const auto asked = row.asked(resources);
    if (!asked) continue;
    const auto limit = std::string(row.name) + " " + *asked;
    const auto v2 = facts.on_v2(row.controller);
    if (!v2 && is_unlimited(*asked)) continue;
    if (!v2) return no_controller(limit, row.controller);
    out.push_back({.limit = limit,
                   .controller = std::string(row.controller),
                   .file = std::string(*v2 ? row.v2_file : row.v1_file),
                   .value = *v2 ? row.v2_text(*asked) : *asked,
                   .fix = std::string(row.fix)});
  }
  return {};
}

Result<> add_hugetlb(const std::vector<spec::HugepageLimit>& limits, const CgroupFacts& facts,
                     std::vector<Setting>& out) {
  for (const auto& huge : limits) {
    const auto limit = "hugepage limit " + huge.page_size + " " + std::to_string(huge.limit);
    if (huge.page_size.empty() || huge.page_size.find_first_not_of("0123456789KMGTB") != std::string::npos)
      return bad_input(limit + ": a page size looks like 2MB or 1GB");
    const auto v2 = facts.on_v2("hugetlb");
    if (!v2) return no_controller(limit, "hugetlb");
    const auto prefix = "hugetlb." + huge.page_size;
    const std::string file = *v2 ? ".max" : ".limit_in_bytes";
    const auto value = std::to_string(huge.limit);
    const auto fix = "the sizes this machine has are in /sys/kernel/mm/hugepages";
    out.push_back(
        {.limit = limit, .controller = "hugetlb", .file = prefix + file, .value = value, .fix = fix});
    // Reservations are counted apart since Linux 5.7; without a limit there, mmap could reserve
    // what a fault is then refused.
    out.push_back({.limit = limit,
                   .controller = "hugetlb",
                   .file = prefix + ".rsvd" + file,
                   .value = value,
                   .fix = fix,
                   .optional = true});
  }
  return {};
}

Result<> add_unified(const std::map<std::string, std::string>& unified, const CgroupFacts& facts,
                     std::vector<Setting>& out) {
  for (const auto& [file, value] : unified) {
    const auto limit = "unified setting " + file;
    if (file.find('/') != std::string::npos || file.find('.') == std::string::npos || file.front() == '.')
      return bad_input(limit + ": not the name of a cgroup v2 file, which looks like memory.high");
    const auto controller = file.substr(0, file.find('.'));
    // "cgroup.max.depth" and the like belong to no controller.
    const auto v2 = facts.on_v2(controller == "cgroup" ? "" : controller);
    if (!v2 || !*v2)
      return bad_input(limit + ": the controller \"" + controller + "\" is not on cgroup v2 on this machine");
    out.push_back({.limit = limit,
                   .controller = controller == "cgroup" ? "" : controller,
                   .file = file,
                   .value = value,
                   .fix = "see the kernel's cgroup-v2 documentation for the values of this file"});
  }
  return {};
}

}  // namespace

std::unexpected<Error> no_controller(std::string_view limit, std::string_view controller) {
  return bad_input(std::string(limit) + ": the cgroup controller \"" + std::string(controller) +
                   "\" is not available on this machine; enable it or leave the limit out");
}

Result<std::vector<Setting>> settings_for(const Resources& resources, const CgroupFacts& facts) {
  std::vector<Setting> settings;
  TRY(add_memory(resources.memory, facts, settings));
  TRY(add_cpu(resources.cpu, facts, settings));
  TRY(add_rows(resources, facts, settings));
  TRY(add_block_io(resources.block_io, facts, settings));
  TRY(add_hugetlb(resources.hugepage_limits, facts, settings));
  TRY(add_unified(resources.unified, facts, settings));
  return settings;
}

}  // namespace nacre::runtime
