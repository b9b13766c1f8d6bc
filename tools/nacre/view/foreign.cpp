// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/foreign.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "runtime/annotations.h"

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

constexpr std::array kKernelTrees{"proc", "sys"};
constexpr std::string_view kUncoveredName =
    std::string_view(runtime::kUncovered).substr(std::string_view("/dev/").size());

bool is_kernels(int file) {
  struct statfs fs {};
  return ::fstatfs(file, &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

// The directory `name` of `parent`, made if it is not there; no symlink. Made as the owner of `parent`,
// because who is nobody in its user namespace can make nothing.
Result<UniqueFd> make_directory(int parent, const char* name) {
  const auto owner = TRY(sys::stat_fd(parent));
  ::setfsgid(owner.st_gid);
  ::setfsuid(owner.st_uid);
  const int code = ::mkdirat(parent, name, 0755) == 0 ? 0 : errno;
  ::setfsuid(::geteuid());
  ::setfsgid(::getegid());
  if (code != 0 && code != EEXIST) return fail(code);
  return sys::open_at(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

Result<> clone_uncovered(int root, const char* tree) {
  const auto from = sys::open_beneath(root, tree, O_PATH | O_DIRECTORY);
  if (!from || !is_kernels(from->get())) return {};
  auto mount = sys::clone_mount(from->get(), "", false);
  // Covered by the host: so nobody in it can mount one either way.
  if (!mount && mount.error().code == EINVAL) return {};
  const auto dev = TRY(sys::open_beneath(root, "dev", O_PATH | O_DIRECTORY));
  const auto parent = TRY(make_directory(dev.get(), kUncoveredName.data()));
  return sys::attach_mount(TRY(std::move(mount)).get(), TRY(make_directory(parent.get(), tree)).get(), "");
}

// Whether the user namespace of a process maps somebody to root. As a reader outside of it sees it.
Result<bool> has_root(pid_t process) {
  const auto text = TRY(sys::read_file(proc(process, "uid_map")));
  for (const auto line : split(text, '\n'))
    if (const auto words = split_blank(line); words.size() == 3 && words[1] == "0") return true;
  return false;
}

std::unexpected<Error> lifts(const std::string& what) {
  return bad_input("nesting would give its root what " + what +
                   " keeps from it: give the container a user namespace that maps nobody to root, or mask "
                   "nothing (podman: --security-opt unmask=all)");
}

// Whether the user namespace that a mount namespace belongs to is that of a process.
Result<bool> owned_by_users_of(int mount_namespace, pid_t process) {
  const UniqueFd owner{TRY(sys::checked([&] { return ::ioctl(mount_namespace, NS_GET_USERNS); }))};
  const auto its = TRY(sys::open_at(AT_FDCWD, proc(process, "ns/user").c_str(), O_RDONLY));
  const auto one = TRY(sys::stat_fd(owner.get())), other = TRY(sys::stat_fd(its.get()));
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

// As the whole mount namespace has it, whatever the process has made its root.
Result<std::vector<sys::MountInfo>> mounts_of(int mount_namespace) {
  const auto machine = TRY(sys::open_at(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY));
  std::string text;
  TRY(sys::in_mount_namespace(mount_namespace, [&]() -> Result<int> {
    const auto file = TRY(sys::open_at(machine.get(), "thread-self/mountinfo", O_RDONLY));
    text = TRY(sys::read_all(file.get()));
    return 0;
  }));
  return sys::parse_mountinfo(text);
}

bool is_of_view(const sys::MountInfo& mount) {
  return mount.type == "fuse" && mount.source == "nacre-procfs";
}

}  // namespace

control::Registration registration_of(std::string id, pid_t init, const ViewOptions& options) {
  return {.id = std::move(id),
          .init = init,
          .cgroup_path = {},
          .boottime_offset = boottime_offset(init),
          .own_time_namespace = has_own_time(init),
          .physical_cpus = options.physical_cpus};
}

Result<int> put_over_kernel_files(const std::vector<control::ViewMount>& mounts, const std::string& root,
                                  const ViewOptions& options) {
  const auto directory =
      TRY(during("open " + root, sys::open_at(AT_FDCWD, root.c_str(), O_PATH | O_DIRECTORY)));
  if (options.nesting)
    for (const auto* const name : kKernelTrees)
      TRY(during("have /" + std::string(name) + " uncovered for containers in it",
                 clone_uncovered(directory.get(), name)));
  int count = 0;
  for (const auto& one : mounts) {
    const auto place = sys::open_beneath(directory.get(), one.target.c_str() + 1, O_PATH);
    if (!place) continue;
    if (!is_kernels(place->get())) continue;
    if (control::only_where_read_only(one.target) && !TRY(sys::is_read_only(place->get()))) continue;
    if (sys::attach_mount(one.mount.get(), place->get(), "")) ++count;
  }
  return count;
}

Result<std::vector<std::string>> places_of_view(const std::string& process) {
  const auto text = TRY(sys::read_file("/proc/" + process + "/mountinfo"));
  std::vector<std::string> places;
  for (auto& mount : TRY(sys::parse_mountinfo(text)))
    if (is_of_view(mount)) places.push_back(std::move(mount.mountpoint));
  return places;
}

Result<std::vector<control::ViewMount>> own_view() {
  std::vector<control::ViewMount> mounts;
  for (auto& place : TRY(places_of_view("self"))) {
    if (!place.starts_with("/proc/") && !place.starts_with("/sys/")) continue;
    // It may be covered by another mount, or its daemon gone.
    struct statfs fs {};
    if (::statfs(place.c_str(), &fs) != 0 || fs.f_type != FUSE_SUPER_MAGIC) continue;
    auto mount = TRY(during("clone " + place, sys::clone_mount(AT_FDCWD, place.c_str(), false)));
    mounts.push_back({std::move(place), std::move(mount)});
  }
  return mounts;
}

Result<> check_root_is_nobody(pid_t init) {
  if (TRY(has_root(init))) return lifts("its runtime");
  return {};
}

Result<> check_nesting(pid_t process, int mount_namespace) {
  if (!TRY(has_root(process)) && TRY(owned_by_users_of(mount_namespace, process))) return {};
  for (const auto& mount : TRY(mounts_of(mount_namespace))) {
    const std::string_view place = mount.mountpoint;
    const bool masks =
        place.starts_with("/proc/") || (place.starts_with("/sys/") && !place.starts_with("/sys/fs/cgroup"));
    if (masks && !is_of_view(mount)) return lifts(mount.mountpoint);
  }
  return {};
}

// The container may have put anything in their place.
void remove_uncovered() {
  const auto parent = sys::open_at(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!parent) return;
  const auto uncovered =
      sys::open_at(parent->get(), kUncoveredName.data(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!uncovered || ::fchdir(uncovered->get()) != 0) return;
  for (const auto* const tree : kKernelTrees) {
    const auto mount = sys::open_at(AT_FDCWD, tree, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (mount && is_kernels(mount->get()) && sys::detach_mount(tree)) ::rmdir(tree);
  }
  ::unlinkat(parent->get(), kUncoveredName.data(), AT_REMOVEDIR);
}

}  // namespace nacre::tool
