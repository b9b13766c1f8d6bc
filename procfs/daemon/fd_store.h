// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// The service manager that keeps descriptors for this process's successor: systemd, or a Keeper, which speaks
// the same protocol (sd_notify(3), sd_pid_notify_with_fds(3), sd_listen_fds(3)). Without one nothing is kept.
// From any thread.
class FdStore {
 public:
  // By $NOTIFY_SOCKET; what was kept by $LISTEN_FDS and $LISTEN_FDNAMES, which are removed from the
  // environment. Call once, before any thread exists.
  static Result<FdStore> connect();
  FdStore(FdStore&&) = default;

  // Whether there is a manager.
  bool present() const { return static_cast<bool>(socket_); }
  // Takes what a predecessor has left by that name; empty if it left nothing.
  UniqueFd take(std::string_view name);
  // All whose name begins with `prefix`, by name.
  std::map<std::string, UniqueFd> take_all(std::string_view prefix);

  Result<> keep(const std::string& name, int descriptor);
  void drop(const std::string& name);
  // How often it wants to hear alive(), or it ends this process ($WATCHDOG_USEC, sd_watchdog_enabled(3)); 0:
  // never.
  std::chrono::microseconds watchdog() const { return watchdog_; }
  void alive() { tell("WATCHDOG=1"); }
  // The service serves; it is about to end.
  void ready() { tell("READY=1"); }
  void stopping() { tell("STOPPING=1"); }

 private:
  explicit FdStore(UniqueFd socket) : socket_(std::move(socket)) {}
  void tell(std::string_view text);

  UniqueFd socket_;
  std::chrono::microseconds watchdog_{0};
  std::map<std::string, UniqueFd, std::less<>> left_;
};

}  // namespace nacre::procfs
