// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "procfs/registry.h"

namespace nacre::procfs {

// The daemon's pulse, every kLoadTick: load averages advance and descriptors that nobody
// reads any more are closed.
class LoadTracker {
 public:
  LoadTracker(Registry& registry, HotFiles& files)
      : registry_(registry), files_(files), thread_([this] { work(); }) {}
  LoadTracker(const LoadTracker&) = delete;
  LoadTracker& operator=(const LoadTracker&) = delete;
  ~LoadTracker();

 private:
  void work();

  Registry& registry_;
  HotFiles& files_;
  std::mutex mutex_;  // leaf
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::procfs
