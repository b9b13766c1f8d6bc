// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "runtime/kernel/linux_kernel.h"

namespace nacre::runtime::kernel {
namespace {

struct Split {
  std::string parent, name;
};

Split split_last(const std::string& path) {
  const auto slash = path.find_last_of('/');
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

Result<> LinuxKernel::make_symlink(int root, const std::string& path, const std::string& content) {
  const auto [parent, name] = split_last(path);
  const auto directory = TRY(place(root, parent, Kind::directory));
  if (::symlinkat(content.c_str(), directory.get(), name.c_str()) == 0) return {};
  if (errno != EEXIST) return fail(errno);
  // An image's own /dev/ptmx node would open the host's terminals; other files are left alone.
  const auto existing = TRY(sys::stat_at(directory.get(), name.c_str()));
  if (!S_ISCHR(existing.st_mode)) return {};
  TRY(sys::succeed([&] { return ::unlinkat(directory.get(), name.c_str(), 0); }));
  return sys::succeed([&] { return ::symlinkat(content.c_str(), directory.get(), name.c_str()); });
}

Result<> LinuxKernel::make_device(int root, const std::string& path, mode_t mode, dev_t device, uid_t uid,
                                  gid_t gid) {
  const auto [parent, name] = split_last(path);
  const auto directory = TRY(place(root, parent, Kind::directory));
  if (::mknodat(directory.get(), name.c_str(), mode, device) != 0)
    return errno == EEXIST ? Result<>{} : fail(errno);
  // The caller's umask does not decide about a container's devices.
  TRY(sys::succeed([&] { return ::fchmodat(directory.get(), name.c_str(), mode & 07777, 0); }));
  return sys::succeed(
      [&] { return ::fchownat(directory.get(), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW); });
}

Result<UniqueFd> LinuxKernel::host_device(const std::string& path, mode_t mode, dev_t device) {
  auto node = TRY(during("open " + path, sys::open_at(AT_FDCWD, path.c_str(), O_PATH | O_NOFOLLOW)));
  const auto st = TRY(sys::stat_fd(node.get()));
  // CVE-2025-31133: a symlink or a regular file in its place would be bound writable.
  if ((st.st_mode & S_IFMT) != (mode & S_IFMT) || st.st_rdev != device)
    return bad_input("the host's " + path + " is not the device it should be");
  return node;
}

}  // namespace nacre::runtime::kernel
