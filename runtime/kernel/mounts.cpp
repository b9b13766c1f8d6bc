// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cstdint>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "runtime/kernel/linux_kernel.h"

namespace nacre::runtime::kernel {
namespace {

Result<long> filesystem_of(int fd) {
  struct statfs info {};
  TRY(sys::succeed([&] { return ::fstatfs(fd, &info); }));
  return info.f_type;
}

}  // namespace

Result<> LinuxKernel::set_tree_propagation(std::uint64_t propagation) {
  return sys::set_tree_propagation(propagation);
}

Result<> LinuxKernel::attach_on_host(int mount, const std::string& path) {
  return sys::attach_mount(mount, AT_FDCWD, path.c_str());
}

Result<UniqueFd> LinuxKernel::new_filesystem(const std::string& type,
                                             const std::vector<sys::FsParameter>& parameters,
                                             std::uint64_t attributes) {
  return sys::new_mount(type.c_str(), parameters, static_cast<unsigned>(attributes));
}

Result<UniqueFd> LinuxKernel::clone(int fd, bool recursive) { return sys::clone_mount(fd, "", recursive); }

Result<> LinuxKernel::set_attributes(int mount, std::uint64_t set, std::uint64_t clear,
                                     std::uint64_t propagation, bool recursive) {
  return sys::set_mount_attributes(mount, set, clear, propagation, recursive);
}

Result<> LinuxKernel::attach(int mount, int target) { return sys::attach_mount(mount, target, ""); }

Result<bool> LinuxKernel::on_proc(int fd) { return TRY(filesystem_of(fd)) == PROC_SUPER_MAGIC; }

Result<bool> LinuxKernel::on_kernel_filesystem(int fd) {
  const auto type = TRY(filesystem_of(fd));
  return type == PROC_SUPER_MAGIC || type == SYSFS_MAGIC;
}

Result<bool> LinuxKernel::is_read_only(int fd) { return sys::is_read_only(fd); }

Result<> LinuxKernel::enter_root(int root, bool pivot) {
  const auto old = TRY(sys::open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
  TRY(sys::succeed([&] { return ::fchdir(root); }));
  if (pivot) {
    // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is
    // taken away from there; no directory has to be made for it.
    TRY(sys::succeed([] { return ::syscall(SYS_pivot_root, ".", "."); }));
    TRY(sys::succeed([&] { return ::fchdir(old.get()); }));
    TRY(sys::succeed([] { return ::mount(nullptr, ".", nullptr, MS_SLAVE | MS_REC, nullptr); }));
    TRY(sys::succeed([] { return ::umount2(".", MNT_DETACH); }));
  } else {
    // A root on an initramfs cannot be pivoted away: it is covered instead.
    TRY(sys::succeed([] { return ::mount(".", "/", nullptr, MS_MOVE, nullptr); }));
    TRY(sys::succeed([] { return ::chroot("."); }));
  }
  return sys::succeed([] { return ::chdir("/"); });
}

Result<> LinuxKernel::set_root_propagation(std::uint64_t propagation, bool below) {
  return sys::succeed([&] {
    return ::mount(nullptr, "/", nullptr, propagation | (below ? static_cast<std::uint64_t>(MS_REC) : 0),
                   nullptr);
  });
}

}  // namespace nacre::runtime::kernel
