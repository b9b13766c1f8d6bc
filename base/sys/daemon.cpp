// SPDX-License-Identifier: Apache-2.0
#include "base/sys/daemon.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <array>

#include "base/sys/checked.h"

namespace nacre::sys {
namespace {

[[noreturn]] void wait_until_ready(int told, pid_t child) {
  char byte = 0;
  const auto count = checked([&] { return ::read(told, &byte, 1); });
  if (count && *count == 1) ::_exit(0);
  int status = 0;
  static_cast<void>(checked([&] { return ::waitpid(child, &status, 0); }));
  ::_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1);
}

}  // namespace

Result<Daemon> Daemon::split() {
  std::array<int, 2> ends{};
  TRY(succeed([&] { return ::pipe2(ends.data(), O_CLOEXEC); }));
  UniqueFd told{ends[0]}, tell{ends[1]};
  const pid_t child = TRY(checked([] { return ::fork(); }));
  if (child != 0) {
    tell.reset();
    wait_until_ready(told.get(), child);
  }
  ::setsid();
  return Daemon(std::move(tell), UniqueFd{::open("/dev/null", O_RDWR | O_CLOEXEC)});
}

void Daemon::ready() {
  if (!tell_) return;
  if (::chdir("/") != 0) return;
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (null_) ::dup2(null_.get(), standard);
  null_.reset();
  static_cast<void>(checked([&] { return ::write(tell_.get(), "", 1); }));
  tell_.reset();
}

}  // namespace nacre::sys
