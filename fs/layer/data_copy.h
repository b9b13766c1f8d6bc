// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"

namespace nacre::fs {

// Makes the empty file `to` hold the first `size` bytes of `from`: shares the blocks where
// the file system can (FICLONE), else copies the data and leaves holes as holes.
Result<> copy_file_data(int from, int to, std::uint64_t size);

}  // namespace nacre::fs
