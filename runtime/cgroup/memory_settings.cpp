// SPDX-License-Identifier: Apache-2.0
#include "base/parse.h"

#include <cstdint>
#include "runtime/cgroup/settings.h"

namespace nacre::runtime {
namespace {

constexpr const char* kTooSmall = "ask for more memory than the processes in it use now";
constexpr const char* kNoSwapAccounting =
    "this kernel does not count swap per cgroup: start it with swapaccount=1, or leave the swap limit out";

// What was asked, zero (which engines write for "not asked") taken out and every negative number
// made -1.
std::optional<std::int64_t> asked(const std::optional<std::int64_t>& bytes) {
  if (!bytes || *bytes == 0) return std::nullopt;
  return *bytes < 0 ? -1 : *bytes;
}

std::string name(std::string_view what, std::int64_t bytes) {
  return std::string(what) + " " + std::to_string(bytes);
}

Result<> check(std::optional<std::int64_t> limit, std::optional<std::int64_t> swap) {
  if (limit && *limit > 0 && *limit < kMinimumMemory)
    return bad_input(name("memory limit", *limit) +
                     ": too small for a process to start in; ask for at least 512k, better 6m");
  if (swap && limit && *swap > 0 && (*limit < 0 || *swap < *limit))
    return bad_input(name("memory and swap limit", *swap) + ": less than the memory limit " +
                     std::to_string(*limit) +
                     "; it is the sum of both, so make it larger, or -1 for no limit on swap");
  return {};
}

// v1: the limit must never be above memory+swap, not even between two writes.
Result<> add_v1(std::optional<std::int64_t> limit, std::optional<std::int64_t> swap, const CgroupFacts& facts,
                std::vector<Setting>& out) {
  const bool swap_asked = swap.has_value();
  // No limit on memory includes memory+swap, or the kernel refuses it.
  if (limit == -1 && !swap_asked) swap = -1;

  const Setting memory{.limit = limit ? name("memory limit", *limit) : "",
                       .controller = "memory",
                       .file = "memory.limit_in_bytes",
                       .value = limit ? std::to_string(*limit) : "",
                       .fix = kTooSmall};
  const Setting both{.limit = swap ? name("memory and swap limit", *swap) : "",
                     .controller = "memory",
                     .file = "memory.memsw.limit_in_bytes",
                     .value = swap ? std::to_string(*swap) : "",
                     .fix = kTooSmall,
                     .optional = swap == -1};
  const auto text = facts.read("memory", "memory.memsw.limit_in_bytes");
  if (swap && *swap > 0 && !text) return bad_input(both.limit + ": " + kNoSwapAccounting);

  const auto now = parse_int<std::uint64_t>(text.value_or(""));
  const bool rises = limit && now && (*limit < 0 || static_cast<std::uint64_t>(*limit) > *now);
  if (swap && rises) out.push_back(both);
  if (limit) out.push_back(memory);
  if (swap && !rises) out.push_back(both);
  return {};
}

// v2 limits swap alone; the specification, memory and swap together.
Result<> add_v2(std::optional<std::int64_t> limit, std::optional<std::int64_t> swap, const CgroupFacts& facts,
                std::vector<Setting>& out) {
  if (limit)
    out.push_back({.limit = name("memory limit", *limit),
                   .controller = "memory",
                   .file = "memory.max",
                   .value = *limit < 0 ? "max" : std::to_string(*limit),
                   .fix = kTooSmall});
  if (!swap) return {};
  const auto what = name("memory and swap limit", *swap);
  Setting setting{
      .limit = what, .controller = "memory", .file = "memory.swap.max", .value = "max", .optional = true};
  if (*swap > 0) {
    if (!facts.read("memory", setting.file)) return bad_input(what + ": " + kNoSwapAccounting);
    const auto memory =
        limit ? limit : parse_int<std::int64_t>(facts.read("memory", "memory.max").value_or(""));
    if (!memory) return bad_input(what + ": needs a memory limit too, because cgroup v2 limits swap alone");
    if (*swap < *memory)
      return bad_input(what + ": less than the memory limit " + std::to_string(*memory) +
                       "; it is the sum of both");
    setting.value = std::to_string(*swap - *memory);
    setting.optional = false;
  }
  out.push_back(setting);
  return {};
}

Result<> add_v1_only(const spec::MemoryResources& memory, bool v2, std::vector<Setting>& out) {
  if (memory.swappiness) {
    const auto limit = "memory swappiness " + std::to_string(*memory.swappiness);
    if (*memory.swappiness > 100) return bad_input(limit + ": must be 0 to 100");
    if (v2) return bad_input(limit + ": cgroup v2 has no swappiness; leave it out");
    out.push_back({.limit = limit,
                   .controller = "memory",
                   .file = "memory.swappiness",
                   .value = std::to_string(*memory.swappiness)});
  }
  if (memory.disable_oom_killer) {
    // Not killing is what v2 cannot do; killing is what it does.
    if (v2 && *memory.disable_oom_killer)
      return bad_input("disabled OOM killer: cgroup v2 cannot do without it; leave disableOOMKiller out");
    if (!v2)
      out.push_back({.limit = *memory.disable_oom_killer ? "disabled OOM killer" : "enabled OOM killer",
                     .controller = "memory",
                     .file = "memory.oom_control",
                     .value = *memory.disable_oom_killer ? "1" : "0"});
  }
  return {};
}

// Engines add a swap limit of twice the memory by themselves. Where the kernel does not count swap,
// a limit that nobody asked for must not keep the container from starting.
bool is_to_be_left_out(const spec::MemoryResources& memory, const CgroupFacts& facts, bool v2) {
  const auto limit = memory.limit.value_or(0);
  if (limit <= 0 || memory.swap.value_or(0) / 2 != limit) return false;
  return !facts.read("memory", v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
}

}  // namespace

Result<> add_memory(const spec::MemoryResources& memory, const CgroupFacts& facts,
                    std::vector<Setting>& out) {
  const auto limit = asked(memory.limit);
  const auto swap = asked(memory.swap);
  TRY(check(limit, swap));
  const auto v2 = facts.on_v2("memory");
  if (!v2) {
    if (limit && *limit > 0) return no_controller(name("memory limit", *limit), "memory");
    if (swap && *swap > 0) return no_controller(name("memory and swap limit", *swap), "memory");
    if (memory.swappiness) return no_controller("memory swappiness", "memory");
    if (memory.disable_oom_killer == true) return no_controller("disabled OOM killer", "memory");
    return {};
  }
  const std::optional<std::int64_t> none;
  const auto& kept = is_to_be_left_out(memory, facts, *v2) ? none : swap;
  TRY(*v2 ? add_v2(limit, kept, facts, out) : add_v1(limit, kept, facts, out));
  return add_v1_only(memory, *v2, out);
}

}  // namespace nacre::runtime
