// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/mount_space.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/scope_exit.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::procfs {
namespace {

constexpr unsigned kHarmless = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Result<UniqueFd> own_namespace() { return sys::open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY); }

Result<> leave_namespace() {
  TRY(during("leave the mount namespace", sys::succeed([] { return ::unshare(CLONE_NEWNS); })));
  // What the host unmounts must go here too; nothing of ours goes there.
  return sys::set_tree_propagation(MS_SLAVE);
}

// Makes the same place in the new root, of directories.
Result<> make_place(int root, const std::string& path) {
  std::string built;
  for (const auto part : split(std::string_view(path).substr(1), '/')) {
    if (!built.empty()) built += '/';
    built += part;
    if (::mkdirat(root, built.c_str(), 0755) != 0 && errno != EEXIST) return fail(errno, "create " + built);
  }
  return {};
}

Result<> keep(int root, const std::string& path, bool recursive) {
  auto mount = TRY(during("clone " + path, sys::clone_mount(AT_FDCWD, path.c_str(), recursive)));
  TRY(make_place(root, path));
  return during("attach " + path, sys::attach_mount(mount.get(), root, path.c_str() + 1));
}

// Replaces the root by an empty one with only what the daemon reads.
Result<> reduce_root(const std::string& directory, const std::string& mountpoint,
                     const std::vector<std::string>& cgroup_mounts) {
  const auto root = TRY(
      sys::new_mount("tmpfs", {{"source", "nacre-procfs"}, {"mode", "0755"}, {"size", "64k"}}, kHarmless));
  TRY(sys::attach_mount(root.get(), AT_FDCWD, mountpoint.c_str()));
  ScopeExit undo{[&] { ::umount2(mountpoint.c_str(), MNT_DETACH); }};
  TRY(keep(root.get(), "/proc", true));
  TRY(keep(root.get(), "/sys", true));
  for (const auto& path : cgroup_mounts)
    if (!path.starts_with("/sys/")) TRY(keep(root.get(), path, false));
  TRY(keep(root.get(), directory, false));
  TRY(sys::succeed([&] { return ::fchdir(root.get()); }));
  // Both roots lie on each other now; the old one goes (pivot_root(2), NOTES).
  TRY(during("pivot_root", sys::succeed([] { return ::syscall(SYS_pivot_root, ".", "."); })));
  undo.dismiss();
  TRY(during("leave the old root", sys::succeed([] { return ::umount2(".", MNT_DETACH); })));
  return sys::succeed([] { return ::chdir("/"); });
}

}  // namespace

Result<MountSpace> enter_mount_space(const std::string& directory, const std::string& mountpoint,
                                     const std::vector<std::string>& cgroup_mounts) {
  MountSpace space;
  space.fuse = TRY(during("open /dev/fuse (modprobe fuse)", sys::open_at(AT_FDCWD, "/dev/fuse", O_RDWR)));
  space.outside = TRY(own_namespace());
  TRY(leave_namespace());
  if (const auto reduced = reduce_root(directory, mountpoint, cgroup_mounts); !reduced)
    log::debug("keeping the host's mounts in view: " + reduced.error().message());
  const std::vector<sys::FsParameter> parameters{
      {"source", "nacre-procfs"}, {"fd", std::to_string(space.fuse.get())},
      {"rootmode", "40555"},      {"user_id", "0"},
      {"group_id", "0"},          {"allow_other", ""},
  };
  space.root =
      TRY(during("mount the file system", sys::new_mount("fuse", parameters, kHarmless | MOUNT_ATTR_RDONLY)));
  TRY(during("mount on " + mountpoint, sys::attach_mount(space.root.get(), AT_FDCWD, mountpoint.c_str())));
  space.space = TRY(own_namespace());
  return space;
}

Result<MountSpace> enter_mount_space(UniqueFd fuse, UniqueFd root, UniqueFd space) {
  MountSpace entered{.fuse = std::move(fuse),
                     .root = std::move(root),
                     .space = std::move(space),
                     .outside = TRY(own_namespace())};
  TRY(during("enter the mount namespace of the last daemon",
             sys::succeed([&] { return ::setns(entered.space.get(), CLONE_NEWNS); })));
  return entered;
}

}  // namespace nacre::procfs
