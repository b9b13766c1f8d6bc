// SPDX-License-Identifier: Apache-2.0
#include "fs/confinement.h"

#include <seccomp.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include <array>

#include "base/sys/call_filter.h"
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

// On files and directories, their attributes and their handles.
constexpr auto kCalls = std::to_array<int>({
    SCMP_SYS(chmod),
    SCMP_SYS(copy_file_range),
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
    SCMP_SYS(fdatasync),
    SCMP_SYS(fgetxattr),
    SCMP_SYS(flistxattr),
    SCMP_SYS(flock),
    SCMP_SYS(fremovexattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(getdents64),
    SCMP_SYS(getxattr),
    SCMP_SYS(lgetxattr),
    SCMP_SYS(linkat),
    SCMP_SYS(listxattr),
    SCMP_SYS(llistxattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(mkdirat),
    SCMP_SYS(mknodat),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(openat2),
    SCMP_SYS(readlinkat),
    SCMP_SYS(removexattr),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(setxattr),
    SCMP_SYS(shutdown),
    SCMP_SYS(symlinkat),
    SCMP_SYS(tee),
    SCMP_SYS(truncate),
    SCMP_SYS(unlinkat),
    SCMP_SYS(utimensat),
});

}  // namespace

Result<> confine() {
  // An ordinary user, or where it cannot be done: then without.
  const auto away = sys::enter_empty_root();
  if (!away && away.error().code != ENOTSUP && away.error().code != EPERM && away.error().code != ENOSYS)
    return away;
  TRY(sys::keep_capabilities(kCapabilities));
  TRY(sys::succeed([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
  return sys::allow_only(kCalls);
}

}  // namespace nacre::fs
