// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "tools/nacre/container/record.h"

namespace nacre::tool {

// Ends whatever still runs of a container (its processes, its file system daemon) and gives
// back what it held: cgroups, registration, runtime state. Its files stay. For the holder of
// the container's lock; safe to repeat, and after any crash.
Result<> release(const Record& record);

// release(), then the container's folder with everything it wrote.
Result<> dispose(const Record& record);

// Cleans up after supervisors that were killed: containers of a foreground or --rm run go
// entirely, detached ones only when they have ended. What could not be cleaned up is returned
// and does not stop the others; the error is for not even being able to look.
Result<std::vector<Error>> sweep();

// Whether the container's first process lives.
bool runs(const Record& record);

}  // namespace nacre::tool
