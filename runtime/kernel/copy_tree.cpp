// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "runtime/kernel/linux_kernel.h"

namespace nacre::runtime::kernel {
namespace {

using sys::succeed;

Result<> copy_contents(int from, const char* name, int to, const struct stat& st) {
  const auto source = TRY(sys::open_at(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const auto copy = TRY(sys::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL, st.st_mode & 07777));
  while (TRY(sys::checked([&] { return ::sendfile(copy.get(), source.get(), nullptr, 1u << 20); })) > 0) {
  }
  return {};
}

Result<> copy_entry(int from, const char* name, int to);

Result<> copy_directory(int from, int to) {
  for (const auto& entry : TRY(sys::list_directory(from)))
    TRY(during(entry.name, copy_entry(from, entry.name.c_str(), to)));
  return {};
}

Result<> copy_entry(int from, const char* name, int to) {
  const auto st = TRY(sys::stat_at(from, name));
  if (S_ISDIR(st.st_mode)) {
    TRY(succeed([&] { return ::mkdirat(to, name, 0700); }));
    const auto below = TRY(sys::open_at(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    const auto copy = TRY(sys::open_at(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    TRY(copy_directory(below.get(), copy.get()));
  } else if (S_ISLNK(st.st_mode)) {
    const auto content = TRY(sys::read_link_at(from, name));
    TRY(succeed([&] { return ::symlinkat(content.c_str(), to, name); }));
  } else if (S_ISREG(st.st_mode)) {
    TRY(copy_contents(from, name, to, st));
  } else {
    TRY(succeed([&] { return ::mknodat(to, name, st.st_mode, st.st_rdev); }));
  }
  TRY(succeed([&] { return ::fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW); }));
  // After the owner: chown(2) clears set-user-ID.
  if (!S_ISLNK(st.st_mode)) TRY(succeed([&] { return ::fchmodat(to, name, st.st_mode & 07777, 0); }));
  const std::array<timespec, 2> times{st.st_atim, st.st_mtim};
  return succeed([&] { return ::utimensat(to, name, times.data(), AT_SYMLINK_NOFOLLOW); });
}

}  // namespace

Result<> LinuxKernel::copy_tree(int from, int to) {
  // The root of a detached mount can be used like any other directory.
  TRY(copy_directory(from, to));
  const auto st = TRY(sys::stat_fd(from));
  const auto copy = TRY(sys::open_at(to, ".", O_RDONLY | O_DIRECTORY));
  TRY(succeed([&] { return ::fchown(copy.get(), st.st_uid, st.st_gid); }));
  return succeed([&] { return ::fchmod(copy.get(), st.st_mode & 07777); });
}

}  // namespace nacre::runtime::kernel
