// SPDX-License-Identifier: Apache-2.0
#include "base/sys/call_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace nacre::sys {
namespace {

// What the C library, libfuse and every program of ours need.
constexpr auto kCalls = std::to_array<int>({
    SCMP_SYS(brk),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(eventfd2),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(futex),
    SCMP_SYS(getcpu),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),  // a call of its own in static programs
    SCMP_SYS(getuid),
    SCMP_SYS(ioctl),
    SCMP_SYS(lseek),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(openat),
    SCMP_SYS(pipe2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(prctl),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(prlimit64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(recvmsg),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sendmsg),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd4),
    SCMP_SYS(splice),
    SCMP_SYS(statx),
    SCMP_SYS(sysinfo),
    SCMP_SYS(umask),
    SCMP_SYS(uname),
    SCMP_SYS(vmsplice),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
    SCMP_SYS(write),
    SCMP_SYS(writev),
});

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

}  // namespace

Result<> allow_only(std::span<const int> calls, std::span<const ConditionalCall> conditional) {
  const std::unique_ptr<void, Release> filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return fail(ENOMEM, "make a system call filter");
  int rc = 0;
  const auto allow = [&](int call) {
    rc = std::min(rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0));
  };
  const auto allow_where = [&](const ConditionalCall& rule) {
    const scmp_arg_cmp condition{rule.argument, SCMP_CMP_MASKED_EQ, rule.mask, rule.value};
    rc = std::min(rc, ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, rule.call, 1, &condition));
  };
  for (const int call : kCalls) allow(call);
  for (const int call : calls) allow(call);
  for (const auto& rule : conditional) allow_where(rule);
  // A thread, and no process. The C library tries clone3 first, whose flags no filter can see.
  allow_where({SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD});
  rc = std::min(rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  // Signals to itself, to wake and to end threads.
  const auto self = static_cast<std::uint64_t>(::getpid());
  for (const int call : {SCMP_SYS(tgkill), SCMP_SYS(kill)}) allow_where({call, 0, UINT64_MAX, self});
  if (rc == 0) rc = ::seccomp_load(filter.get());
  return rc == 0 ? Result<>{} : fail(-rc, "load a system call filter");
}

}  // namespace nacre::sys
