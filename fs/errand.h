// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace nacre::fs {

// What no thread that answers requests may do, because the kernel, or a layer that does not answer, may
// let it wait. Done by a thread of its own while it is asked for. Asked while it is busy, it is done once
// more. A task that says false has not reached its end and is tried again by and by, for about a second.
// Thread-safe. The destructor waits for the task, and for no further try.
class Errand {
 public:
  explicit Errand(std::function<bool()> task) : task_(std::move(task)) {}
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;
  ~Errand() {
    ask_for_the_end();
    if (thread_.joinable()) thread_.join();
  }

  void ask() {
    const std::lock_guard lock(mutex_);
    asked_ = true;
    changed_.notify_one();
    if (busy_) return;
    if (thread_.joinable()) thread_.join();  // it is on its way out
    busy_ = true;
    thread_ = std::thread([this] {
      while (begin()) attempt();
    });
  }

 private:
  bool begin() {
    const std::lock_guard lock(mutex_);
    busy_ = std::exchange(asked_, false);
    return busy_;
  }

  void attempt() {
    using namespace std::chrono_literals;
    for (auto pause = 1ms; !task_() && pause < 1s; pause *= 2) {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, pause, [&] { return asked_ || ending_; })) return;
    }
  }

  void ask_for_the_end() {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }

  const std::function<bool()> task_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace nacre::fs
