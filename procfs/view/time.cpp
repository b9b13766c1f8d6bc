// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/time.h"

#include <algorithm>

namespace nacre::procfs {

TimeView time_view(const Birth& birth, const Clock& clock) {
  const auto boottime = clock.boottime();
  const auto began = clock.realtime() - boottime - birth.offset;
  return {std::max(boottime - birth.boottime, std::chrono::nanoseconds(0)),
          std::chrono::floor<std::chrono::seconds>(began).count()};
}

}  // namespace nacre::procfs
