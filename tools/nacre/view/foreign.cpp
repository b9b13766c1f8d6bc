// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/foreign.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::tool {
namespace {

std::string proc(pid_t process, const char* file) { return "/proc/" + std::to_string(process) + "/" + file; }

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

// Process 1 has the clocks of the machine; a hook may run inside of the container's.
bool has_own_time(pid_t process) {
  const auto machine = sys::read_link_at(AT_FDCWD, "/proc/1/ns/time");
  const auto its = sys::read_link_at(AT_FDCWD, proc(process, "ns/time").c_str());
  return machine && its && *machine != *its;
}

}  // namespace

control::Registration registration_of(std::string id, pid_t init, bool physical_cpus) {
  return {.id = std::move(id),
          .init = init,
          .cgroup_path = {},
          .boottime_offset = boottime_offset(init),
          .own_time_namespace = has_own_time(init),
          .physical_cpus = physical_cpus};
}

Result<int> put_over_kernel_files(const std::vector<control::ViewMount>& mounts, const std::string& root) {
  const auto directory =
      TRY(during("open " + root, sys::open_at(AT_FDCWD, root.c_str(), O_PATH | O_DIRECTORY)));
  int count = 0;
  for (const auto& one : mounts) {
    const auto place = sys::open_beneath(directory.get(), one.target.c_str() + 1, O_PATH);
    if (!place) continue;
    struct statfs fs {};
    if (::fstatfs(place->get(), &fs) != 0 || (fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC))
      continue;
    if (sys::attach_mount(one.mount.get(), place->get(), "")) ++count;
  }
  return count;
}

}  // namespace nacre::tool
