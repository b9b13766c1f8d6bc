// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/clone.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/sys/checked.h"
#include "base/sys/process.h"
#include "base/unique_fd.h"

namespace nacre::runtime::process {
namespace {

long clone3(std::uint64_t flags, int exit_signal) {
  clone_args arguments{};
  arguments.flags = flags;
  arguments.exit_signal = static_cast<std::uint64_t>(exit_signal);
  return ::syscall(SYS_clone3, &arguments, sizeof(arguments));
}

std::unexpected<Error> explained(int code) {
  if (code == EPERM) return fail(code, "create namespaces (root, or CAP_SYS_ADMIN, is needed)");
  if (code == ENOSPC) return fail(code, "create namespaces (a limit of /proc/sys/user is reached)");
  if (code == EINVAL) return fail(code, "create namespaces (the kernel lacks one of them)");
  return fail(code, "create the container's process");
}

// What the helper tells us: the child's pid, or which step failed.
struct Report {
  pid_t child = 0;
  int code = 0;
  char step = 0;  // 'p' or 'u': joining that namespace
};

[[noreturn]] void help(const CloneOptions& options, const std::function<void()>& child, int pipe) {
  Report report;
  if (options.before) options.before();
  if (options.pid_namespace >= 0 && ::setns(options.pid_namespace, CLONE_NEWPID) != 0) {
    report.step = 'p';
  } else if (options.user_namespace >= 0 && ::setns(options.user_namespace, CLONE_NEWUSER) != 0) {
    report.step = 'u';
  } else {
    // CLONE_PARENT: the caller's child and not ours; it takes our exit signal.
    const auto pid = clone3(options.flags | CLONE_PARENT, 0);
    if (pid == 0) {
      child();
      ::_exit(1);
    }
    report.child = static_cast<pid_t>(pid);
  }
  if (report.child <= 0) report.code = errno;
  static_cast<void>(!::write(pipe, &report, sizeof(report)));
  ::_exit(0);
}

Result<pid_t> clone_by_helper(const CloneOptions& options, const std::function<void()>& child) {
  std::array<int, 2> ends{};
  TRY(sys::succeed([&] { return ::pipe2(ends.data(), O_CLOEXEC); }));
  const UniqueFd reading{ends[0]};
  UniqueFd writing{ends[1]};
  const auto helper = clone3(0, SIGCHLD);
  if (helper < 0) return explained(errno);
  if (helper == 0) help(options, child, writing.get());
  writing.reset();
  Report report;
  const auto size = TRY(sys::checked([&] { return ::read(reading.get(), &report, sizeof(report)); }));
  TRY(sys::wait_for(static_cast<pid_t>(helper)));
  if (size != sizeof(report)) return fail(ECHILD, "create the container's process");
  if (report.step == 'p') return fail(report.code, "join the pid namespace");
  if (report.step == 'u') return fail(report.code, "join the user namespace");
  if (report.child <= 0) return explained(report.code);
  return report.child;
}

}  // namespace

Result<pid_t> clone_process(const CloneOptions& options, const std::function<void()>& child) {
  if (options.pid_namespace >= 0 || options.user_namespace >= 0 || options.before)
    return clone_by_helper(options, child);
  const auto pid = clone3(options.flags, SIGCHLD);
  if (pid < 0) return explained(errno);
  if (pid == 0) {
    child();
    ::_exit(1);
  }
  return static_cast<pid_t>(pid);
}

}  // namespace nacre::runtime::process
