// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/attach.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/cgroup/hierarchy.h"
#include "base/control/protocol.h"
#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "base/sys/process.h"
#include "tools/nacre/container/view_daemon.h"

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

// systemd in a container puts itself into a cgroup below the container's.
std::string container_cgroup(std::string path) {
  constexpr std::string_view kInit = "/init.scope";
  if (path.ends_with(kInit)) path.resize(path.size() - kInit.size());
  return path;
}

// Seconds and nanoseconds of "boottime" in /proc/PID/timens_offsets (time_namespaces(7)).
std::int64_t boottime_offset(pid_t process) {
  const auto text = sys::read_file(proc(process, "timens_offsets"));
  if (!text) return 0;
  for (const auto line : split(*text, '\n')) {
    const auto words = split_blank(line);
    if (words.size() == 3 && words[0] == "boottime")
      return parse_int<std::int64_t>(words[1]).value_or(0) * 1'000'000'000 +
             parse_int<std::int64_t>(words[2]).value_or(0);
  }
  return 0;
}

Result<control::Registration> registration_of(const Target& target) {
  const auto text = TRY(sys::read_file(proc(target.process, "cgroup")));
  const auto memberships = TRY(cgroup::parse_memberships(text));
  const auto own_time = sys::read_link_at(AT_FDCWD, "/proc/self/ns/time");
  const auto its_time = sys::read_link_at(AT_FDCWD, proc(target.process, "ns/time").c_str());
  return control::Registration{.id = target.id,
                               .init = target.process,
                               .cgroup_path = container_cgroup(TRY(cgroup::path_for(memberships, "memory"))),
                               .boottime_offset = boottime_offset(target.process),
                               .own_time_namespace = own_time && its_time && *own_time != *its_time};
}

// Runs `action` in the container's mount namespace, in a process of its own; how many things it has done.
Result<int> inside(const Target& target, const std::function<Result<int>()>& action) {
  constexpr int kFailed = 255;
  const pid_t child = ::fork();
  if (child < 0) return fail(errno, "fork");
  if (child == 0) {
    int done = kFailed;
    if (::setns(target.pidfd.get(), CLONE_NEWNS) == 0)
      if (const auto count = action()) done = *count;
    ::_exit(done);
  }
  const int done = TRY(sys::wait_for(child));
  if (done == kFailed) return fail(EPERM, "enter the mounts of process " + std::to_string(target.process));
  return done;
}

// Only over the kernel's own files: a mask, or somebody else's view, was put there on purpose.
Result<int> attach_all(const std::vector<control::ViewMount>& mounts) {
  const auto root = TRY(sys::open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
  int count = 0;
  for (const auto& one : mounts) {
    const auto place = sys::open_beneath(root.get(), one.target.c_str() + 1, O_PATH);
    if (!place) continue;
    struct statfs fs {};
    if (::fstatfs(place->get(), &fs) != 0 || (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC))
      continue;
    if (sys::attach_mount(one.mount.get(), place->get(), "")) ++count;
  }
  return count;
}

// Where the view is, as the container names it. The topmost first, so that each is there when its turn comes.
Result<std::vector<std::string>> places_of_view(pid_t process) {
  const auto text = TRY(sys::read_file(proc(process, "mountinfo")));
  std::vector<std::string> places;
  for (const auto& mount : TRY(sys::parse_mountinfo(text)))
    if (mount.type == "fuse" && mount.source == "nacre-procfs") places.push_back(mount.mountpoint);
  std::ranges::reverse(places);
  return places;
}

Result<int> detach_all(const std::vector<std::string>& places) {
  int count = 0;
  for (const auto& place : places)
    if (sys::detach_mount(place)) ++count;
  return count;
}

}  // namespace

Result<> attach_view(pid_t process) {
  const auto target = TRY(open_target(process));
  TRY(ensure_view_daemon());
  auto client = TRY(control::Client::connect());
  const auto name = "process " + std::to_string(process);
  auto registered = client.add(TRY(registration_of(target)));
  if (!registered && registered.error().code == EEXIST)
    return bad_input(name + " has a view already: take it away with: nacre detach");
  const auto mounts = TRY(during("register with nacre-procfs", std::move(registered)));
  const auto count = inside(target, [&] { return attach_all(mounts); });
  if (count && *count > 0) return {};
  static_cast<void>(client.remove(target.id));
  if (!count) return std::unexpected(count.error());
  return bad_input(name + ": its /proc and /sys have somebody else's view, or are none of the kernel's");
}

Result<> detach_view(pid_t process) {
  const auto target = TRY(open_target(process));
  const auto places = TRY(places_of_view(process));
  const auto count = TRY(inside(target, [&] { return detach_all(places); }));
  auto client = control::Client::connect();
  if (client) static_cast<void>(client->remove(target.id));
  if (count > 0) return {};
  return bad_input("process " + std::to_string(process) + " has no view: put one there with: nacre attach");
}

}  // namespace nacre::tool
