// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "tools/nacre/container/record.h"

namespace nacre::tool {

// Asks the container's init to end (SIGTERM), and kills everything in it when it has not
// within `seconds`, or at once when it, being pid 1, has no handler for SIGTERM: the kernel
// would drop the signal. A container that has ended already is success.
Result<> stop(const Record& record, unsigned seconds);

// Removes a container with everything it wrote. A running one is refused unless `force`,
// which kills it, and its supervisor when that hangs.
Result<> remove(const Record& record, bool force);

}  // namespace nacre::tool
