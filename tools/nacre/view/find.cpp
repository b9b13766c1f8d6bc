// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>

#include "base/parse.h"
#include "base/sys/file.h"
#include "tools/nacre/view/attach.h"

namespace nacre::tool {
namespace {

// As short as engines print ids.
constexpr std::size_t kShortestId = 12;

bool is_id(std::string_view text) {
  return text.size() >= kShortestId && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "/libpod_parent/libpod-ID", "/docker/ID", "…/cri-containerd-ID.scope": engines write ids in full.
bool has_id(std::string_view cgroups, std::string_view id) {
  for (auto at = cgroups.find(id); at != std::string_view::npos; at = cgroups.find(id, at + 1)) {
    const char before = at == 0 ? '/' : cgroups[at - 1];
    if (before == '/' || before == '-' || before == ':') return true;
  }
  return false;
}

// The first one of a pid namespace sees itself as 1.
bool is_first(const std::string& process) {
  const auto status = sys::read_file("/proc/" + process + "/status");
  if (!status) return false;
  for (const auto line : split(*status, '\n'))
    if (line.starts_with("NSpid:")) return split_blank(line).back() == "1";
  return false;
}

Result<pid_t> find_by_cgroup(std::string_view id) {
  std::optional<pid_t> first, any;
  const auto proc = TRY(sys::open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY));
  for (const auto& entry : TRY(sys::list_directory(proc.get()))) {
    const auto process = parse_int<pid_t>(entry.name);
    if (!process) continue;
    const auto cgroups = sys::read_file("/proc/" + entry.name + "/cgroup");
    if (!cgroups || !has_id(*cgroups, id)) continue;
    auto& best = is_first(entry.name) ? first : any;
    best = std::min(best.value_or(*process), *process);
  }
  if (first) return *first;
  if (any) return *any;
  return bad_input("no container " + std::string(id) +
                   " runs: give its id, or the number of one of its processes");
}

}  // namespace

Result<pid_t> find_container_process(std::string_view container) {
  if (const auto process = parse_int<pid_t>(container); process && !is_id(container)) {
    if (*process > 0 && sys::exists("/proc/" + std::string(container) + "/ns/mnt")) return *process;
    return bad_input("no process " + std::string(container) + " runs");
  }
  if (is_id(container)) return find_by_cgroup(container);
  return bad_input("container " + std::string(container) +
                   ": give its id, of at least 12 digits, or the number of one of its processes");
}

}  // namespace nacre::tool
