// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// A threshold of pressure that somebody wants to hear of. Thread-safe.
class PressureTrigger {
 public:
  enum class State { waiting, fired, gone };
  explicit PressureTrigger(UniqueFd file) : file_(std::move(file)) {}

  // What has happened since the last call; `wake` is called when something does. An earlier one is
  // dropped.
  State poll(std::function<void()> wake);
  void fire(State state);
  int file() const { return file_.get(); }

 private:
  const UniqueFd file_;
  std::mutex mutex_;  // leaf
  State state_ = State::waiting;
  std::function<void()> wake_;
};

// The triggers of all containers, each one of the container's own cgroup, and the thread that waits for them.
// Source: Documentation/accounting/psi.rst, "Monitoring for pressure thresholds".
class PressureTriggers {
 public:
  static Result<std::unique_ptr<PressureTriggers>> start();
  PressureTriggers(const PressureTriggers&) = delete;
  PressureTriggers& operator=(const PressureTriggers&) = delete;
  ~PressureTriggers() { stop(); }
  // Wakes nobody any more.
  void stop();

  // `text` as it was written to /proc/pressure: "some 200000 2000000". Windows that are no multiple of two
  // seconds take a right (CAP_SYS_RESOURCE) that containers do not have: EINVAL, as the kernel says to
  // them. EOPNOTSUPP: nobody counts pressure at `path`; it is empty then. ENOSPC: there are very many, at
  // this path or altogether. It is there for as long as it is held.
  Result<std::shared_ptr<PressureTrigger>> arm(const std::string& path, std::string_view text);
  static constexpr std::size_t kMostAtPath = 128;
  static constexpr std::size_t kMost = 1u << 14;

 private:
  PressureTriggers(UniqueFd epoll, UniqueFd stop) : epoll_(std::move(epoll)), stop_(std::move(stop)) {}
  void work();
  void forget(std::uint64_t number, const std::string& path);

  UniqueFd epoll_, stop_;
  std::mutex mutex_;  // the table; leaf
  std::unordered_map<std::uint64_t, std::weak_ptr<PressureTrigger>> triggers_;
  std::unordered_map<std::string, std::size_t> at_path_;  // how many
  std::uint64_t last_ = 0;
  std::thread thread_;
};

}  // namespace nacre::procfs
