// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/view_daemon.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "base/cgroup/hierarchy.h"
#include "base/control/protocol.h"
#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "tools/nacre/container/record.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

constexpr const char* kIdleSeconds = "60";

bool absent(const Error& error) { return error.code == ENOENT || error.code == ECONNREFUSED; }

// The daemon serves every container and outlives ours: it must not count against the limits, or end
// with the cgroup, of the session it happens to be started from.
std::vector<std::string> root_cgroups() {
  std::vector<std::string> files;
  const auto hierarchies = cgroup::Hierarchies::detect();
  if (!hierarchies) return files;
  for (const auto& hierarchy : hierarchies->all()) {
    // The root of a cgroup namespace takes no processes where controllers are handed down.
    const bool handed_down =
        hierarchy.v2 && sys::exists(hierarchy.mountpoint + "/cgroup.type") &&
        !trim(sys::read_file(hierarchy.mountpoint + "/cgroup.subtree_control").value_or("")).empty();
    const auto file = hierarchy.mountpoint + "/cgroup.procs";
    if (!handed_down && ::access(file.c_str(), W_OK) == 0) files.push_back(file);
  }
  return files;
}

// The daemon's parent exits once it is live; until then its errors come through the pipe.
Result<> start_daemon() {
  std::array<int, 2> ends{};
  TRY(sys::succeed([&] { return ::pipe2(ends.data(), O_CLOEXEC); }));
  const UniqueFd reading{ends[0]};
  UniqueFd writing{ends[1]};
  const auto child = TRY(sys::spawn({
      .argv = {program("nacre-procfs"), "--idle-exit", kIdleSeconds},
      .environment = {},
      .fds = {{ends[1], 2}},
      .cgroup_procs = root_cgroups(),
  }));
  writing.reset();
  const auto words = sys::read_all(reading.get()).value_or("");
  if (TRY(sys::wait_for(child)) == 0) return {};
  return bad_input("start nacre-procfs: " + std::string(trim(words)));
}

}  // namespace

Result<> ensure_view_daemon() {
  auto running = control::Client::connect();
  if (running) return {};
  if (!absent(running.error())) return std::unexpected(std::move(running.error()));

  const auto one_starter = TRY(lock_all());
  running = control::Client::connect();
  if (running) return {};
  return start_daemon();
}

}  // namespace nacre::tool
