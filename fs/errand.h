// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace nacre::fs {

// What no thread that answers requests may do, because the kernel, or a layer that does not answer, may
// let it wait. Done by a thread of its own while it is asked for. Asked while it is busy, it is done once
// more. Thread-safe. The destructor waits for the end.
class Errand {
 public:
  explicit Errand(std::function<void()> task) : task_(std::move(task)) {}
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;
  ~Errand() {
    if (thread_.joinable()) thread_.join();
  }

  void ask() {
    const std::lock_guard lock(mutex_);
    asked_ = true;
    if (busy_) return;
    if (thread_.joinable()) thread_.join();  // it is on its way out
    busy_ = true;
    thread_ = std::thread([this] {
      while (begin()) task_();
    });
  }

 private:
  bool begin() {
    const std::lock_guard lock(mutex_);
    busy_ = std::exchange(asked_, false);
    return busy_;
  }

  const std::function<void()> task_;
  std::mutex mutex_;
  bool asked_ = false;
  bool busy_ = false;
  std::thread thread_;
};

}  // namespace nacre::fs
