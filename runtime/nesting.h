// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime {

// Whether the container may hold containers (kNestingAnnotation). Its /proc is then there without what the
// runtime puts over it, which is all that keeps a root without a user namespace from the machine's settings
// (/proc/sys/kernel/core_pattern): an error where that would be taken away.
Result<bool> allows_nesting(const spec::Spec& spec);

}  // namespace nacre::runtime
