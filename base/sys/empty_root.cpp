// SPDX-License-Identifier: Apache-2.0
#include "base/sys/empty_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::sys {

namespace {

constexpr unsigned kPlain = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// A root with nothing in it but a place for /proc. Read-only once that is there.
Result<UniqueFd> make_root() {
  auto root =
      TRY(new_mount("tmpfs", {{"size", "4k"}, {"mode", "555"}}, kPlain & ~unsigned{MOUNT_ATTR_RDONLY}));
  TRY(succeed([&] { return ::mkdirat(root.get(), "proc", 0555); }));
  TRY(set_mount_attributes(root.get(), MOUNT_ATTR_RDONLY, 0, 0, false));
  return root;
}

// With this process alone in it; where a fresh one may not be had, that which is there, with
// whatever covers parts of it.
Result<UniqueFd> make_proc() {
  auto proc = new_mount("proc", {{"hidepid", "invisible"}}, kPlain);
  return proc ? std::move(proc) : clone_mount(AT_FDCWD, "/proc", true);
}

// In the new mount namespace. "/proc" exists in any that got so far, and is covered for us alone.
Result<> change_root(int root, int proc) {
  TRY(set_tree_propagation(MS_PRIVATE));
  TRY(attach_mount(root, AT_FDCWD, "/proc"));
  TRY(attach_mount(proc, root, "proc"));
  TRY(succeed([&] { return ::fchdir(root); }));
  TRY(succeed([] { return ::syscall(SYS_pivot_root, ".", "."); }));
  TRY(succeed([] { return ::umount2(".", MNT_DETACH); }));
  return succeed([] { return ::chdir("/"); });
}

}  // namespace

Result<> enter_empty_root() {
  const auto root = TRY(make_root());
  const auto proc = TRY(make_proc());
  const auto old_namespace = TRY(open_at(AT_FDCWD, "/proc/self/ns/mnt", O_RDONLY));
  const auto old_root = TRY(open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
  TRY(succeed([] { return ::unshare(CLONE_NEWNS); }));
  auto changed = change_root(root.get(), proc.get());
  if (changed) return {};
  // Half of the way is worse than none of it: the copies of all mounts here would keep them alive
  // after they are unmounted elsewhere, our own among them.
  TRY(during("go back to the mount namespace",
             succeed([&] { return ::setns(old_namespace.get(), CLONE_NEWNS); })));
  TRY(succeed([&] { return ::fchdir(old_root.get()); }));
  TRY(succeed([] { return ::chroot("."); }));
  return fail(ENOTSUP, changed.error().message());
}

}  // namespace nacre::sys
