// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace nacre::procfs {

class Container;
class HotFiles;

// The daemon's pulse, every kLoadTick: load averages of the containers whose are read advance, and
// descriptors that nobody reads any more are closed. It stands still when there is nothing of either.
class LoadTracker {
 public:
  explicit LoadTracker(HotFiles& files);
  LoadTracker(const LoadTracker&) = delete;
  LoadTracker& operator=(const LoadTracker&) = delete;
  ~LoadTracker();

  // Ticks the container until it says that nobody reads its load any more. From any thread.
  void follow(std::weak_ptr<Container> container);

 private:
  void work();
  bool wait_for_tick();
  void tick_containers();
  std::weak_ptr<Container> next();
  void wake();

  HotFiles& files_;
  std::mutex mutex_;  // leaf
  std::condition_variable wake_;
  std::deque<std::weak_ptr<Container>> followed_;  // longest without a tick first
  bool stopping_ = false;
  std::atomic<bool> beats_{false};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace nacre::procfs
