// SPDX-License-Identifier: Apache-2.0
#include "tests/defects/escape.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace nacre::test {
namespace {

struct Attempt {
  std::string_view name;
  long (*act)();
};

// A child that got as far as to exist ends at once.
long make_process() {
  const long child = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) ::_exit(0);
  return child;
}

constexpr std::array kAttempts{
    Attempt{"open", [] { return static_cast<long>(::open("/etc/passwd", O_RDONLY)); }},
    Attempt{"process", make_process},
    Attempt{"socket", [] { return static_cast<long>(::socket(AF_INET, SOCK_STREAM, 0)); }},
    // Harmless, should it work: it changes nothing.
    Attempt{"mount", [] { return static_cast<long>(::mount(nullptr, "/", nullptr, MS_PRIVATE, nullptr)); }},
    Attempt{"kill", [] { return static_cast<long>(::kill(1, 0)); }},
    Attempt{"exec", [] { return static_cast<long>(::execl("/proc/self/exe", "x", nullptr)); }},
    Attempt{"namespace", [] { return static_cast<long>(::unshare(CLONE_NEWUTS)); }},
    Attempt{"memory",
            [] {
              iovec none{};
              return static_cast<long>(::process_vm_readv(1, &none, 1, &none, 1, 0));
            }},
};

}  // namespace

Result<> attempt_to_escape(std::string_view what) {
  const auto attempt = std::ranges::find(kAttempts, what, &Attempt::name);
  if (attempt == kAttempts.end()) return fail(EINVAL);
  if (attempt->act() < 0) return fail(errno);
  return {};
}

}  // namespace nacre::test
