// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::sys {

// Makes sure that nobody can write to this program through /proc/PID/exe: a process of ours that
// enters a container is within reach of what runs there, and a container that overwrites its
// runtime owns the host (CVE-2019-5736). Returns when the program is on a read-only mount or is
// a sealed copy; otherwise it is executed again from one, with argv[0] as its absolute path.
// To be called first thing in main(): open descriptors and threads are not looked after.
Result<> seal_self(char** argv);

// The absolute path of this program on disk: a sealed copy has none of its own.
std::string own_path();

}  // namespace nacre::sys
