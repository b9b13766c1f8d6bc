// SPDX-License-Identifier: Apache-2.0
#include "base/sys/unmounter.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::sys {
namespace {

// Linux 6.8; not yet in the headers of Debian 12.
constexpr unsigned kMountIdUnique = 0x4000;  // STATX_MNT_ID_UNIQUE

// Which mount a descriptor is on. The file system itself is asked nothing: it may be dead.
std::optional<std::string> mount_of(int fd) {
  struct statx attr {};
  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kMountIdUnique, &attr) == 0 &&
      (attr.stx_mask & kMountIdUnique) != 0)
    return "unique " + std::to_string(attr.stx_mnt_id);
  // Older kernels give the number to another mount soon after this one has gone.
  const auto text = read_file("/proc/self/fdinfo/" + std::to_string(fd));
  if (!text) return std::nullopt;
  for (const auto line : split(*text, '\n'))
    if (line.starts_with("mnt_id:")) return std::string(trim(line.substr(7)));
  return std::nullopt;
}

[[noreturn]] void wait_and_unmount(int told, const std::string& mountpoint, const std::string& mount) {
  const UniqueFd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  // Whoever waits for the end of our caller's output must not wait for us.
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (null) ::dup2(null.get(), standard);
  const int kept = ::fcntl(told, F_DUPFD, 3);
  ::dup2(kept, 3);
  ::close_range(4, ~0U, 0);
  static_cast<void>(!::chdir("/"));
  ::prctl(PR_SET_NAME, "nacre-unmount", 0, 0, 0);
  char byte = 0;
  const auto count = checked([&] { return ::read(3, &byte, 1); });
  if (count && *count == 1) ::_exit(0);
  // By descriptor, so that it is this mount and no other that has come above it meanwhile.
  const auto top = open_at(AT_FDCWD, mountpoint.c_str(), O_PATH);
  if (!top || mount_of(top->get()) != mount) ::_exit(0);
  if (::umount2(("/proc/self/fd/" + std::to_string(top->get())).c_str(), MNT_DETACH) == 0 || errno != EPERM)
    ::_exit(0);
  // An ordinary user's mounts are made, and unmounted, by a program that may.
  ::execlp("fusermount3", "fusermount3", "-u", "-q", "-z", "--", mountpoint.c_str(), nullptr);
  ::_exit(1);
}

}  // namespace

Result<Unmounter> Unmounter::start(const std::string& mountpoint) {
  std::optional<std::string> mount;
  if (const auto top = open_at(AT_FDCWD, mountpoint.c_str(), O_PATH)) mount = mount_of(top->get());
  if (!mount) return fail(ENOENT, "mount point " + mountpoint);
  std::array<int, 2> ends{};
  TRY(succeed([&] { return ::pipe2(ends.data(), O_CLOEXEC); }));
  UniqueFd told{ends[0]}, tell{ends[1]};
  const pid_t child = TRY(checked([] { return ::fork(); }));
  if (child == 0) {
    tell.reset();
    wait_and_unmount(told.get(), mountpoint, *mount);
  }
  return Unmounter(std::move(tell), child);
}

void Unmounter::dismiss() {
  if (tell_) static_cast<void>(checked([&] { return ::write(tell_.get(), "", 1); }));
}

void Unmounter::finish() {
  tell_.reset();
  if (process_ == 0) return;
  int status = 0;
  static_cast<void>(checked([&] { return ::waitpid(std::exchange(process_, 0), &status, 0); }));
}

}  // namespace nacre::sys
