// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime::seccomp {

// The classic BPF program of an OCI profile (runtime-spec config-linux.md "Seccomp"), for the
// native architecture and those that the profile names; calls of others kill the thread. What a
// profile means is what libseccomp makes of it, which the tests compare; its code generator is not
// used, because it takes 30 ms for a usual profile with i386 in it, most of a container's start.
//
// System calls that this libseccomp does not know, or that an architecture lacks, are left to the
// default action, as in crun and runc. Anything else that is unknown (action, operator,
// architecture, flag) is an error naming it.
Result<std::vector<sock_filter>> compile(const spec::Seccomp& profile);

// The SECCOMP_FILTER_FLAG_* that the profile asks for ("SECCOMP_FILTER_FLAG_LOG" …), as flags for
// install(). NEW_LISTENER is added when the profile uses notifications.
Result<unsigned> flags_of(const spec::Seccomp& profile);

// Whether a system call of the profile is answered by an agent (SCMP_ACT_NOTIFY).
bool uses_notify(const spec::Seccomp& profile);

// The filter that hands sysinfo(2), and sched_getaffinity(2) when `affinity`, to the listener
// and allows everything else: x86_64 with x32, i386 and aarch64.
std::vector<sock_filter> view_filter(bool affinity);

// seccomp(2) SECCOMP_SET_MODE_FILTER on the calling thread, which needs no_new_privs or
// CAP_SYS_ADMIN. `flags` are SECCOMP_FILTER_FLAG_*. With NEW_LISTENER the result is the listener
// (O_CLOEXEC), and waits are killable where the kernel can do that (Linux 5.19); without it the
// result is empty. EBUSY: the thread already has a listener.
// Makes no system call but seccomp(2) and allocates nothing unless it fails.
Result<UniqueFd> install(std::span<const sock_filter> program, unsigned flags);

}  // namespace nacre::runtime::seccomp
