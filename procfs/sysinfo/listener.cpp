// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/listener.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

// Debian 12's header is older than these (linux/seccomp.h of 6.6).
constexpr unsigned long kSetFlags = _IOW('!', 4, __u64);
constexpr unsigned long kSyncWakeUp = 1;
// With the wrong direction bits, as Linux before 5.17 knew SECCOMP_IOCTL_NOTIF_ID_VALID.
constexpr unsigned long kIdValidOld = _IOR('!', 2, __u64);

Result<> send(int listener, const seccomp_notif_resp& answer) {
  Roomy<seccomp_notif_resp> response{.record = answer};
  auto sent = sys::succeed([&] { return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response); });
  if (!sent && sent.error().code == ENOENT) return {};
  return sent;
}

}  // namespace

Result<> still_waits(int listener, std::uint64_t id) {
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0) return {};
  if (errno == EINVAL && ::ioctl(listener, kIdValidOld, &id) == 0) return {};
  return fail(errno);
}

bool is_listener(int descriptor) {
  // No call has the id 0; what is no listener does not know the request.
  const auto waits = still_waits(descriptor, 0);
  return !waits && waits.error().code == ENOENT;
}

void prefer_sync_wake_up(int listener) { static_cast<void>(::ioctl(listener, kSetFlags, kSyncWakeUp)); }

Result<std::optional<seccomp_notif>> receive_notification(int listener, NotificationRoom& room) {
  const auto received = sys::succeed([&] { return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &room); });
  if (received) return room.record;
  if (received.error().code == ENOENT) return std::nullopt;
  return std::unexpected(received.error());
}

Result<> write_to_caller(int listener, const seccomp_notif& notification, std::uint64_t address,
                         std::string_view bytes, MemoryWriter& writer) {
  const auto path = "/proc/" + std::to_string(notification.pid) + "/mem";
  const auto memory = TRY(sys::open_at(AT_FDCWD, path.c_str(), O_WRONLY));
  // The file is of the caller only if the caller still waits now that it is open, which the writer asks.
  auto written = writer.write(memory.get(), address, bytes, listener, notification.id);
  TRY(still_waits(listener, notification.id));
  return written;
}

Result<> answer_value(int listener, std::uint64_t id, std::int64_t value) {
  return send(listener, {.id = id, .val = value, .error = 0, .flags = 0});
}

Result<> answer_error(int listener, std::uint64_t id, int code) {
  return send(listener, {.id = id, .val = 0, .error = -code, .flags = 0});
}

Result<> answer_continue(int listener, std::uint64_t id) {
  return send(listener, {.id = id, .val = 0, .error = 0, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

}  // namespace nacre::procfs
