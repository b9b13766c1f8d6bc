// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "procfs/container.h"
#include "procfs/sysinfo/layout.h"
#include "procfs/sysinfo/listener.h"

namespace nacre::procfs {

// Answers one trapped call with the container's own numbers. Whatever stands in the way on
// our side, the caller gets the kernel's answer instead (CONTINUE); only its own bad
// pointer or length is an error to it. ECANCELED when the writer was interrupted: it still waits then.
Result<> answer_call(int listener, const seccomp_notif& notification, Container& container,
                     const CpuMaskRules& rules, MemoryWriter& writer);

// What this kernel's CPU masks look like, for affinity_bytes().
Result<CpuMaskRules> cpu_mask_rules();

}  // namespace nacre::procfs
