// SPDX-License-Identifier: Apache-2.0
#include "fs/confinement.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/sys/capabilities.h"
#include "base/sys/checked.h"
#include "base/sys/empty_root.h"

namespace nacre::fs {
namespace {

// Owners, modes and attributes of other users' files, devices, file handles, and CAP_SYS_ADMIN
// for trusted.* attributes and passthrough. CAP_SYS_RESOURCE for the space that file systems reserve,
// as kernel overlayfs uses it, and for large pipes.
constexpr std::array<cap_value_t, 9> kCapabilities{CAP_SYS_RESOURCE,    CAP_CHOWN,   CAP_DAC_OVERRIDE,
                                                   CAP_DAC_READ_SEARCH, CAP_FOWNER,  CAP_FSETID,
                                                   CAP_MKNOD,           CAP_SETFCAP, CAP_SYS_ADMIN};

// What the file system, libfuse and the C library call while they serve.
constexpr auto kCalls = std::to_array<int>({
    SCMP_SYS(brk),
    SCMP_SYS(chmod),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(eventfd2),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fallocate),
    SCMP_SYS(fchdir),
    SCMP_SYS(chdir),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(fcntl),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fgetxattr),
    SCMP_SYS(flistxattr),
    SCMP_SYS(flock),
    SCMP_SYS(fremovexattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(futex),
    SCMP_SYS(getcpu),
    SCMP_SYS(getdents64),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(getxattr),
    SCMP_SYS(ioctl),
    SCMP_SYS(lgetxattr),
    SCMP_SYS(linkat),
    SCMP_SYS(listxattr),
    SCMP_SYS(llistxattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(lseek),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mkdirat),
    SCMP_SYS(mknodat),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(openat),
    SCMP_SYS(openat2),
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
    SCMP_SYS(readlinkat),
    SCMP_SYS(readv),
    SCMP_SYS(recvmsg),
    SCMP_SYS(removexattr),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sendmsg),
    SCMP_SYS(setxattr),
    SCMP_SYS(shutdown),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd4),
    SCMP_SYS(splice),
    SCMP_SYS(statx),
    SCMP_SYS(symlinkat),
    SCMP_SYS(sysinfo),
    SCMP_SYS(tee),
    SCMP_SYS(truncate),
    SCMP_SYS(umask),
    SCMP_SYS(uname),
    SCMP_SYS(unlinkat),
    SCMP_SYS(utimensat),
    SCMP_SYS(vmsplice),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
    SCMP_SYS(write),
    SCMP_SYS(writev),
});

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

Result<> filter_calls() {
  const std::unique_ptr<void, Release> filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return fail(ENOMEM, "make a system call filter");
  int rc = 0;
  const auto allow = [&](int call) {
    rc = std::min(rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0));
  };
  for (const int call : kCalls) allow(call);
  // A thread, and no process. The C library tries clone3 first, whose flags no filter can see.
  rc = std::min(rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)));
  rc = std::min(rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
  // Signals to itself, to wake and to end threads.
  const auto self = static_cast<scmp_datum_t>(::getpid());
  rc = std::min(
      rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self)));
  rc = std::min(
      rc, ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, SCMP_A0(SCMP_CMP_EQ, self)));
  if (rc == 0) rc = ::seccomp_load(filter.get());
  return rc == 0 ? Result<>{} : fail(-rc, "load a system call filter");
}

}  // namespace

Result<> confine() {
  // An ordinary user, or where it cannot be done: then without.
  const auto away = sys::enter_empty_root();
  if (!away && away.error().code != ENOTSUP && away.error().code != EPERM && away.error().code != ENOSYS)
    return away;
  TRY(sys::keep_capabilities(kCapabilities));
  TRY(sys::succeed([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
  return filter_calls();
}

}  // namespace nacre::fs
