// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"

namespace nacre::tool {

// Makes sure that a nacre-procfs answers on the control socket, starting one when there is
// none. One that was started so leaves again when it has been unused for a minute.
Result<> ensure_view_daemon();

}  // namespace nacre::tool
