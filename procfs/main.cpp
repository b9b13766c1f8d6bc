// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "base/log.h"
#include "base/sys/process.h"
#include "base/unique_fd.h"
#include "procfs/daemon/daemon.h"
#include "procfs/daemon/keeper.h"

namespace {

using nacre::UniqueFd;

using nacre::procfs::Options;

[[noreturn]] void leave(const nacre::Result<int>& ended) {
  if (!ended) nacre::log::error(ended.error().message());
  // Everything has ended in its order; nothing is left to be done at exit.
  ::_exit(ended ? *ended : 1);
}

// A caller that waits for the end of our output must not wait for ours. /dev/null will be out of reach later.
std::function<void()> letting_go_of_output() {
  const auto null = std::make_shared<const UniqueFd>(::open("/dev/null", O_RDWR | O_CLOEXEC));
  return [null] {
    for (int fd = 0; fd < 3; ++fd) ::dup2(null->get(), fd);
    static_cast<void>(!::chdir("/"));
  };
}

// Runs in the background once everything is live; until then the parent waits, so that
// "nacre-procfs && use it" works. Forks before any thread exists.
int keep_in_background(const Options& options, char** argv) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return 1;
  const UniqueFd ready_reader{pipe[0]};
  UniqueFd ready_writer{pipe[1]};
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
  leave(nacre::procfs::keep_daemon(options, argv, [&, let_go = letting_go_of_output()] {
    let_go();
    static_cast<void>(::write(ready_writer.get(), "", 1) == 1);
    ready_writer.reset();
  }));
}

}  // namespace

int main(int argc, char** argv) {
  nacre::log::start("nacre-procfs");
  int status = 0;
  const auto options = nacre::procfs::parse_options(argc, argv, status);
  if (!options) return status;
  ::umask(022);
  nacre::sys::raise_descriptor_limit();  // a keeper holds every container's listener, too
  const auto keeper = nacre::procfs::end_with_keeper();
  const bool managed = options->foreground && std::getenv("NOTIFY_SOCKET") != nullptr;
  if (keeper != 0 || managed)
    leave(nacre::procfs::run_daemon(
        *options, keeper, options->foreground ? std::function<void()>([] {}) : letting_go_of_output()));
  if (options->foreground) leave(nacre::procfs::keep_daemon(*options, argv, [] {}));
  return keep_in_background(*options, argv);
}
