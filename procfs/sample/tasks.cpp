// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/tasks.h"

#include <algorithm>
#include <vector>

#include "base/parse.h"
#include "base/sys/process.h"
#include "procfs/sample/subtree.h"

namespace nacre::procfs {
namespace {

// A cgroup that goes away while we look had no threads left.
Result<std::vector<pid_t>> threads_of(HotFiles& files, const Places& places) {
  std::vector<pid_t> threads;
  TRY(visit_subtree(places.tasks, [&](const std::string& cgroup) -> Result<> {
    const auto text = TRY(files.read_once(cgroup + (places.tasks_v2 ? "/cgroup.threads" : "/tasks")));
    for (const auto line : split(text, '\n'))
      if (const auto thread = parse_int<pid_t>(line); thread && *thread > 0) threads.push_back(*thread);
    return {};
  }));
  return threads;
}

bool is_same(const NewestThread& thread, const NewestThread& known) {
  // Of too many to look at all, when it began is not known.
  return known.innermost != 0 && thread.start_ticks != 0 && thread.number == known.number &&
         thread.start_ticks == known.start_ticks;
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

Result<TaskCounts> sample_tasks(HotFiles& files, const Places& places, const std::string& proc,
                                const NewestThread& known) {
  const auto threads = TRY(threads_of(files, places));
  TaskCounts counts;
  counts.total = threads.size();
  if (!threads.empty()) counts.newest.number = std::ranges::max(threads);
  std::size_t seen = 0;
  for (const pid_t thread : threads) {
    if (seen == kTaskBudget) break;
    const auto text = files.read_once(proc + "/" + std::to_string(thread) + "/stat");
    const auto stat = text ? sys::parse_process_stat(*text) : Result<sys::ProcessStat>(fail(ESRCH));
    if (!stat) continue;  // it has just ended
    ++seen;
    if (thread == counts.newest.number) counts.newest.start_ticks = stat->start_ticks;
    if (stat->state == 'R') ++counts.running;
    if (stat->state == 'D') ++counts.blocked;
  }
  if (threads.size() > kTaskBudget) {
    counts.running = scaled(counts.running, seen, threads.size());
    counts.blocked = scaled(counts.blocked, seen, threads.size());
  }
  if (is_same(counts.newest, known)) {
    counts.newest.innermost = known.innermost;
  } else if (!threads.empty()) {
    const auto status = files.read_once(proc + "/" + std::to_string(counts.newest.number) + "/status");
    counts.newest.innermost = status ? parse_innermost_pid(*status) : 0;
  }
  return counts;
}

}  // namespace nacre::procfs
