// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>

#include "base/log.h"
#include "base/unique_fd.h"
#include "procfs/daemon/daemon.h"

namespace {

using nacre::UniqueFd;

int serve(const nacre::procfs::Options& options, const std::function<void()>& on_ready) {
  const auto served = nacre::procfs::run_daemon(options, on_ready);
  if (!served) nacre::log::error(served.error().message());
  // Not by exit(): a supervisor thread may still be held up in a system call.
  std::fflush(nullptr);
  ::_exit(served ? 0 : 1);
}

// Runs in the background once everything is live; until then the parent waits, so that
// "nacre-procfs && use it" works. Forks before any thread exists.
int serve_in_background(const nacre::procfs::Options& options) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return 1;
  const UniqueFd ready_reader{pipe[0]};
  UniqueFd ready_writer{pipe[1]};
  const UniqueFd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  const pid_t child = ::fork();
  if (child < 0) {
    nacre::log::error("cannot fork");
    return 1;
  }
  if (child > 0) {
    ready_writer.reset();
    char byte = 0;
    return ::read(ready_reader.get(), &byte, 1) == 1 ? 0 : 1;  // the child has said why
  }
  ::setsid();
  return serve(options, [&] {
    for (int fd = 0; fd < 3; ++fd) ::dup2(null.get(), fd);
    static_cast<void>(::chdir("/") == 0 && ::write(ready_writer.get(), "", 1) == 1);
    ready_writer.reset();
  });
}

}  // namespace

int main(int argc, char** argv) {
  nacre::log::start("nacre-procfs");
  int status = 0;
  const auto options = nacre::procfs::parse_options(argc, argv, status);
  if (!options) return status;
  ::umask(022);
  return options->foreground ? serve(*options, [] {}) : serve_in_background(*options);
}
