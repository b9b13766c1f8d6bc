// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::tool {

// The layers of an image, topmost first, as absolute directories. IMAGE is a directory
// that holds a root file system, several joined by ':', or "busybox", which is assembled
// on the spot. A word without '/' that is no directory is an unknown image name.
Result<std::vector<std::string>> resolve_image(std::string_view image);

}  // namespace nacre::tool
