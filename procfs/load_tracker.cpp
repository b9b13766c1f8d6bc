// SPDX-License-Identifier: Apache-2.0
#include "procfs/load_tracker.h"

#include <algorithm>
#include <chrono>

namespace nacre::procfs {

LoadTracker::~LoadTracker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void LoadTracker::work() {
  auto next = std::chrono::steady_clock::now() + kLoadTick;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_until(lock, next, [&] { return stopping_; })) return;
    }
    for (const auto& container : registry_.all()) container->tick_loads();
    files_.close_unused();
    // A late tick is not made up for: the load then was not seen.
    next = std::max(next + kLoadTick, std::chrono::steady_clock::now());
  }
}

}  // namespace nacre::procfs
