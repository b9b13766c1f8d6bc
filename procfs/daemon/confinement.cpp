// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/confinement.h"

#include <sched.h>
#include <seccomp.h>

#include <array>
#include <vector>

#include "base/sys/call_filter.h"

namespace nacre::procfs {
namespace {

// Clients, waiting, and what containers look like. Their mounts are cloned by nacre-mounts.
constexpr auto kCalls = std::to_array<int>({
    SCMP_SYS(accept4),    SCMP_SYS(access),      SCMP_SYS(chdir),        SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),  SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait),
    SCMP_SYS(faccessat),  SCMP_SYS(faccessat2),  SCMP_SYS(getdents64),   SCMP_SYS(getsockopt),
    SCMP_SYS(kcmp),       SCMP_SYS(lstat),       SCMP_SYS(pidfd_open),   SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(rename),      SCMP_SYS(renameat),     SCMP_SYS(renameat2),
    SCMP_SYS(setsockopt), SCMP_SYS(stat),        SCMP_SYS(unlink),       SCMP_SYS(unlinkat),
});

// Of SharedMounts, which are attached where the host sees them.
constexpr auto kAttaching = std::to_array<int>({
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(move_mount),
    SCMP_SYS(umount2),
});
constexpr std::array kEntering{
    sys::ConditionalCall{SCMP_SYS(setns), 1, UINT64_MAX, CLONE_NEWNS},
    sys::ConditionalCall{SCMP_SYS(unshare), 0, UINT64_MAX, CLONE_FS},
};

}  // namespace

Result<> confine(bool attaches) {
  if (!sys::kConfinable) return {};
  if (!attaches) return sys::allow_only(kCalls);
  std::vector<int> calls(kCalls.begin(), kCalls.end());
  calls.insert(calls.end(), kAttaching.begin(), kAttaching.end());
  return sys::allow_only(calls, kEntering);
}

}  // namespace nacre::procfs
