// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "procfs/sysinfo/listener.h"

namespace nacre::procfs {

// System calls that were taken from the kernel and not yet answered, in memory that outlives the process: the
// kernel delivers none twice (seccomp_unotify(2)). It writes them there itself, so that none is lost in
// between. Each thread uses a slot of its own.
class PendingCalls {
 public:
  static constexpr std::size_t kSlots = 64;
  static Result<UniqueFd> create();
  // `memory` is of create(), not necessarily this process's.
  static Result<PendingCalls> map(int memory);
  PendingCalls(PendingCalls&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
  PendingCalls& operator=(PendingCalls&&) = delete;
  ~PendingCalls();

  // receive_notification() into a slot; `key` is the listener's.
  Result<std::optional<seccomp_notif>> receive(std::size_t slot, std::uint64_t key, int listener);
  void answered(std::size_t slot);

  // What another process has left.
  struct Left {
    std::size_t slot = 0;
    std::uint64_t key = 0;
    seccomp_notif call{};
  };
  std::vector<Left> left() const;
  std::optional<Left> left(std::size_t slot) const;

 private:
  struct Slot;
  explicit PendingCalls(Slot* slots) : slots_(slots) {}
  Slot* slots_;
};

}  // namespace nacre::procfs
