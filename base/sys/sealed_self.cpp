// SPDX-License-Identifier: Apache-2.0
#include "base/sys/sealed_self.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "base/unique_fd.h"

namespace nacre::sys {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U  // Linux 6.3
#endif
constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

bool is_sealed(const UniqueFd& self) {
  struct statvfs fs {};
  if (::fstatvfs(self.get(), &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0) return true;
  const int seals = ::fcntl(self.get(), F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

// A mount of the file alone, read-only and nowhere attached: nothing is copied.
Result<UniqueFd> read_only_clone(const UniqueFd& self) {
  auto clone = TRY(clone_mount(self.get(), "", false));
  TRY(set_mount_attributes(clone.get(), MOUNT_ATTR_RDONLY, 0, 0, false));
  return clone;
}

// Where mounts are out of reach (no CAP_SYS_ADMIN).
Result<UniqueFd> sealed_copy(const UniqueFd& self) {
  struct stat st {};
  TRY(succeed([&] { return ::fstat(self.get(), &st); }));
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd copy{::memfd_create("nacre", kFlags | MFD_EXEC)};
  // Before Linux 6.3 there is no such flag and every memory file can be executed.
  if (!copy) copy = UniqueFd{TRY(checked([] { return ::memfd_create("nacre", kFlags); }))};
  for (off_t done = 0; done < st.st_size;) {
    const auto left = static_cast<std::size_t>(st.st_size - done);
    if (TRY(checked([&] { return ::sendfile(copy.get(), self.get(), &done, left); })) == 0) return fail(EIO);
  }
  TRY(succeed([&] { return ::fcntl(copy.get(), F_ADD_SEALS, kSeals); }));
  return copy;
}

// The kernel names a process after the descriptor it was executed from.
void restore_name(const std::string& path) {
  ::prctl(PR_SET_NAME, path.substr(path.rfind('/') + 1).c_str(), 0, 0, 0);
}

Result<> execute_sealed(const UniqueFd& self, char** argv) {
  auto path = TRY(read_link_at(AT_FDCWD, kSelf));
  auto image = read_only_clone(self);
  if (!image) image = sealed_copy(self);
  if (!image) return std::unexpected(image.error());
  argv[0] = path.data();
  ::execveat(image->get(), "", argv, environ, AT_EMPTY_PATH);
  return fail(errno, "execute");
}

}  // namespace

Result<> seal_self(char** argv) {
  const auto self = TRY(open_at(AT_FDCWD, kSelf, O_RDONLY));
  if (!is_sealed(self))
    return during("protect " + std::string(argv[0]) + " from containers", execute_sealed(self, argv));
  restore_name(program_invocation_name);
  return {};
}

std::string own_path() {
  const auto path = read_link_at(AT_FDCWD, kSelf).value_or("");
  struct stat self {
  }, there{};
  const bool true_path = ::stat(kSelf, &self) == 0 && ::stat(path.c_str(), &there) == 0 &&
                         self.st_dev == there.st_dev && self.st_ino == there.st_ino;
  return true_path ? path : program_invocation_name;
}

}  // namespace nacre::sys
