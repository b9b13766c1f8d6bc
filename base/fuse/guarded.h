// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <new>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace nacre::fuse {

// Runs an operation at the FUSE boundary: running out of memory becomes ENOMEM, any other
// exception is a bug of ours, logged and answered with EIO. Nothing is thrown into libfuse.
template <typename Operation>
auto guarded(Operation operation) -> decltype(operation()) {
  try {
    return operation();
  } catch (const std::bad_alloc&) {
    return fail(ENOMEM);
  } catch (const std::exception& bug) {
    log::error(std::string("a file system operation failed unexpectedly: ") + bug.what());
    return fail(EIO);
  }
}

}  // namespace nacre::fuse
