// SPDX-License-Identifier: Apache-2.0
#include "procfs/load_tracker.h"

#include <algorithm>
#include <chrono>

#include "procfs/container.h"
#include "procfs/sample/hot_files.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;

// What one tick may take: one percent of a processor. Containers it does not reach are first in the next.
constexpr auto kBudget = 50ms;

}  // namespace

LoadTracker::LoadTracker(HotFiles& files) : files_(files), thread_([this] { work(); }) {
  files_.on_open([this] { wake(); });
}

LoadTracker::~LoadTracker() {
  files_.on_open({});
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void LoadTracker::follow(std::weak_ptr<Container> container) {
  {
    const std::lock_guard lock(mutex_);
    followed_.push_back(std::move(container));
  }
  wake();
}

void LoadTracker::wake() {
  if (beats_.exchange(true)) return;
  const std::lock_guard lock(mutex_);
  wake_.notify_all();
}

void LoadTracker::work() {
  while (wait_for_tick()) {
    tick_containers();
    files_.close_unused();
    beats_ = false;
    const std::lock_guard lock(mutex_);
    // Whoever opens a file or is followed after this look has seen that we do not beat.
    if (!followed_.empty() || files_.open_count() != 0) beats_ = true;
  }
}

// False at the end.
bool LoadTracker::wait_for_tick() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || beats_; });
  // A late tick is not hurried: containers know how many are due.
  return !wake_.wait_for(lock, kLoadTick, [&] { return stopping_; });
}

void LoadTracker::tick_containers() {
  const auto end = std::chrono::steady_clock::now() + kBudget;
  std::size_t left;
  {
    const std::lock_guard lock(mutex_);
    left = followed_.size();
  }
  for (; left > 0 && std::chrono::steady_clock::now() < end; --left) {
    auto weak = next();
    const auto container = weak.lock();
    if (container && container->tick_loads()) follow(std::move(weak));
  }
}

std::weak_ptr<Container> LoadTracker::next() {
  const std::lock_guard lock(mutex_);
  auto container = std::move(followed_.front());
  followed_.pop_front();
  return container;
}

}  // namespace nacre::procfs
