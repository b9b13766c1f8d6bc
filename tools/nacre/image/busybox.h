// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace nacre::tool {

// The default image: the distribution's static busybox with a link for each of its
// applets. Assembled at first use in the data directory, anew for another busybox.
// Returns the directory of its only layer.
Result<std::string> busybox_image();

}  // namespace nacre::tool
