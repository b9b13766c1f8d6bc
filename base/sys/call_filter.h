// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"

namespace nacre::sys {

// Whether this build can confine itself: sanitizers and coverage counters open files of their own.
#ifdef NACRE_INSTRUMENTED
inline constexpr bool kConfinable = false;
#else
inline constexpr bool kConfinable = true;
#endif

// A system call that is allowed where (argument & mask) == value.
struct ConditionalCall {
  int call;
  unsigned argument;
  std::uint64_t mask;
  std::uint64_t value;
};

// From here on this thread, and those that it starts, make no system calls but `calls`, `conditional` ones,
// and what the C library needs to run, for files that are open, memory, time, and threads: no other process
// is started, signalled or traced. Others fail with EPERM (seccomp(2)). Takes no_new_privs or CAP_SYS_ADMIN.
Result<> allow_only(std::span<const int> calls, std::span<const ConditionalCall> conditional = {});

}  // namespace nacre::sys
