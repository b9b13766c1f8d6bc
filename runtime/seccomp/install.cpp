// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/seccomp/filter.h"

namespace nacre::runtime::seccomp {

Result<UniqueFd> install(std::span<const sock_filter> program, unsigned flags) {
  const sock_fprog argument{static_cast<unsigned short>(program.size()),
                            const_cast<sock_filter*>(program.data())};
  const auto load = [&](unsigned with) {
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, with, &argument);
  };
  constexpr unsigned kKillable = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  const bool listener = (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;

  auto result = load(listener ? flags | kKillable : flags);
  if (result < 0 && errno == EINVAL && listener) result = load(flags & ~kKillable);
  if (result < 0 && errno == EBUSY)
    return fail(EBUSY, "seccomp: this process has a notification listener already");
  if (result < 0) return fail(errno, "seccomp: install the filter");
  if (listener) return UniqueFd(static_cast<int>(result));
  if (result > 0)
    return fail(ESRCH, "seccomp: thread " + std::to_string(result) + " could not take over the filter");
  return UniqueFd();
}

}  // namespace nacre::runtime::seccomp
