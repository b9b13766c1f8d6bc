// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace nacre::fs {

// Takes from this process what serving does not need, as far as it has the right to do so: the
// machine's file system (a mount namespace that holds nothing but /proc), capabilities, and system
// calls other than those on files behind descriptors it has. What is open stays open. Before any
// thread is started; for the rest of the process's life.
Result<> confine();

}  // namespace nacre::fs
