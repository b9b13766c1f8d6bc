// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/tasks.h"

#include <dirent.h>

#include <algorithm>
#include <vector>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/process.h"

namespace nacre::procfs {
namespace {

// Cgroups may be nested as deep as someone likes; what we walk is bounded.
constexpr int kDepth = 16;

Result<> collect(const std::string& directory, int depth, std::vector<pid_t>& threads) {
  // v1 lists threads in "tasks", v2 in "cgroup.threads".
  auto text = sys::read_file(directory + "/cgroup.threads");
  if (!text && text.error().code == ENOENT) text = sys::read_file(directory + "/tasks");
  if (!text) return std::unexpected(text.error());
  for (const auto line : split(*text, '\n'))
    if (const auto thread = parse_int<pid_t>(line); thread && *thread > 0) threads.push_back(*thread);
  if (depth == 0) return {};

  const auto fd = TRY(during(directory, sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY)));
  for (const auto& entry : TRY(sys::list_directory(fd.get()))) {
    if (entry.type != DT_DIR) continue;
    // A child that goes away while we look had no threads left.
    if (auto below = collect(directory + "/" + entry.name, depth - 1, threads); !below) {
      const int code = below.error().code;
      if (code != ENOENT && code != ENODEV && code != EOPNOTSUPP) return below;
    }
  }
  return {};
}

std::uint64_t scaled(std::uint64_t count, std::size_t seen, std::size_t all) {
  return seen == 0 ? 0 : (count * all + seen / 2) / seen;
}

}  // namespace

pid_t parse_innermost_pid(std::string_view status) {
  constexpr std::string_view kKey = "NSpid:";
  for (const auto line : split(status, '\n')) {
    if (!line.starts_with(kKey)) continue;
    const auto numbers = split_blank(line.substr(kKey.size()));
    return numbers.empty() ? 0 : std::max(parse_int<pid_t>(numbers.back()).value_or(0), 0);
  }
  return 0;
}

Result<TaskCounts> sample_tasks(const std::string& directory, const std::string& proc) {
  std::vector<pid_t> threads;
  TRY(collect(directory, kDepth, threads));
  TaskCounts counts;
  counts.total = threads.size();
  std::size_t seen = 0;
  for (const pid_t thread : threads) {
    if (seen == kTaskBudget) break;
    const auto text = sys::read_file(proc + "/" + std::to_string(thread) + "/stat");
    const auto stat = text ? sys::parse_process_stat(*text) : Result<sys::ProcessStat>(fail(ESRCH));
    if (!stat) continue;  // it has just ended
    ++seen;
    if (stat->state == 'R') ++counts.running;
    if (stat->state == 'D') ++counts.blocked;
  }
  if (threads.size() > kTaskBudget) {
    counts.running = scaled(counts.running, seen, threads.size());
    counts.blocked = scaled(counts.blocked, seen, threads.size());
  }
  if (!threads.empty()) {
    const auto newest = std::ranges::max(threads);
    if (const auto status = sys::read_file(proc + "/" + std::to_string(newest) + "/status"))
      counts.newest = parse_innermost_pid(*status);
  }
  return counts;
}

}  // namespace nacre::procfs
