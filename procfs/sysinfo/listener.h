// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "procfs/sysinfo/memory_writer.h"

// The kernel's side of seccomp user notification (seccomp_unotify(2)), by raw ioctls.
namespace nacre::procfs {

// Is this descriptor a seccomp listener at all?
bool is_listener(int descriptor);

// The caller runs on the same CPU as we do and is woken at once (Linux 6.6); a kernel that
// cannot is as good, only slower.
void prefer_sync_wake_up(int listener);

// A later kernel may know longer structures and copies its own size.
template <typename Record>
struct Roomy {
  Record record{};
  std::array<char, 256> room{};
};
using NotificationRoom = Roomy<seccomp_notif>;

// The next waiting call, which the kernel writes into `room`, all zeroes. Nothing when its thread was killed
// or interrupted meanwhile.
Result<std::optional<seccomp_notif>> receive_notification(int listener, NotificationRoom& room);

// ENOENT when the caller of this call does not wait any more.
Result<> still_waits(int listener, std::uint64_t id);

// Writes into the waiting caller's memory; EFAULT for a bad address, ECANCELED when the writer was
// interrupted. ENOENT when the caller no longer waits, so that nothing is written into another process with
// the same number.
Result<> write_to_caller(int listener, const seccomp_notif& notification, std::uint64_t address,
                         std::string_view bytes, MemoryWriter& writer);

// Let the call return `value`, fail with `code`, or run in the kernel as if unfiltered. A
// caller that no longer waits is no error.
Result<> answer_value(int listener, std::uint64_t id, std::int64_t value);
Result<> answer_error(int listener, std::uint64_t id, int code);
Result<> answer_continue(int listener, std::uint64_t id);

}  // namespace nacre::procfs
