// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runtime/spec/spec.h"

namespace nacre::runtime::seccomp {

// The profile of a container that asks for none: what ordinary programs use is allowed, what
// reaches into the kernel from outside the container (mounts, new namespaces, modules, bpf,
// keyrings, clocks, io_uring …) fails with EPERM, unless the container holds the capability that
// the call needs anyway ("CAP_SYS_ADMIN"). Calls newer than the table fail with ENOSYS, so that
// libraries fall back to older ones.
// `nesting`: new namespaces and mounts are allowed without that capability, for containers with user
// namespaces of their own in this one.
spec::Seccomp default_profile(const std::vector<std::string>& capabilities, bool nesting = false);

}  // namespace nacre::runtime::seccomp
