// SPDX-License-Identifier: Apache-2.0
#include "fs/overlay_fs.h"

namespace nacre::fs {

// Of the layer that is written: there is where space can run out.
Result<struct statvfs> OverlayFs::statfs() {
  return upper_ ? upper_->statistics() : lowers_.at(lowers_.top()).statistics();
}

}  // namespace nacre::fs
