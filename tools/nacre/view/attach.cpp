// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/attach.h"

#include <fcntl.h>

#include <functional>
#include <ranges>
#include <string>
#include <vector>

#include "base/control/protocol.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "base/sys/process.h"
#include "tools/nacre/container/view_daemon.h"
#include "tools/nacre/view/foreign.h"

namespace nacre::tool {
namespace {

std::string proc(pid_t process, const char* file) { return "/proc/" + std::to_string(process) + "/" + file; }

// A process of the container: its number alone could soon be another's.
struct Target {
  pid_t process;
  UniqueFd pidfd;
  std::string id;  // by which nacre-procfs knows it
};

Result<Target> open_target(pid_t process) {
  const auto name = "process " + std::to_string(process);
  auto pidfd = TRY(during(name, sys::pidfd_open(process)));
  const auto start = TRY(during(name, sys::process_stat(process))).start_ticks;
  const auto own = sys::read_link_at(AT_FDCWD, "/proc/self/ns/mnt");
  const auto its = TRY(during(name, sys::read_link_at(AT_FDCWD, proc(process, "ns/mnt").c_str())));
  if (own && *own == its) return bad_input(name + " is in no container: it has the mounts of this machine");
  return Target{process, std::move(pidfd),
                "attached-" + std::to_string(process) + "-" + std::to_string(start)};
}

Result<int> inside(const Target& target, const std::function<Result<int>()>& action) {
  return during("in the mounts of process " + std::to_string(target.process),
                sys::in_mount_namespace(target.pidfd.get(), action));
}

Result<int> detach_all(const std::vector<std::string>& places) {
  int count = 0;
  // The topmost first, so that each is there when its turn comes.
  for (const auto& place : std::views::reverse(places))
    if (sys::detach_mount(place)) ++count;
  remove_uncovered();
  return count;
}

}  // namespace

Result<> attach_view(pid_t process, const ViewOptions& options) {
  const auto target = TRY(open_target(process));
  if (options.nesting) {
    const auto mounts = TRY(sys::open_at(AT_FDCWD, proc(process, "ns/mnt").c_str(), O_RDONLY));
    TRY(check_nesting(process, mounts.get()));
  }
  TRY(ensure_view_daemon());
  auto client = TRY(control::Client::connect());
  const auto name = "process " + std::to_string(process);
  auto registered = client.add(registration_of(target.id, process, options));
  if (!registered && registered.error().code == EEXIST)
    return bad_input(name + " has a view already: take it away with: nacre detach");
  const auto mounts = TRY(during("register with nacre-procfs", std::move(registered)));
  const auto count = inside(target, [&] {
    auto put = put_over_kernel_files(mounts, "/", options);
    if (options.nesting && (!put || *put == 0)) remove_uncovered();
    return put;
  });
  if (count && *count > 0) return {};
  static_cast<void>(client.remove(target.id));
  if (!count) return std::unexpected(count.error());
  return bad_input(name + ": its /proc and /sys have somebody else's view, or are none of the kernel's");
}

Result<> detach_view(pid_t process) {
  const auto target = TRY(open_target(process));
  const auto places = TRY(places_of_view(std::to_string(process)));
  const auto count = TRY(inside(target, [&] { return detach_all(places); }));
  auto client = control::Client::connect();
  if (client) static_cast<void>(client->remove(target.id));
  if (count > 0) return {};
  return bad_input("process " + std::to_string(process) + " has no view: put one there with: nacre attach");
}

}  // namespace nacre::tool
