// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/fd_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "base/parse.h"
#include "base/sys/socket.h"

namespace nacre::procfs {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

Result<FdStore> FdStore::connect() {
  const auto path = variable("NOTIFY_SOCKET");
  const auto process = variable("LISTEN_PID"), count = variable("LISTEN_FDS"),
             names = variable("LISTEN_FDNAMES");
  const auto watched = variable("WATCHDOG_PID"), interval = variable("WATCHDOG_USEC");
  FdStore store(path.empty() ? UniqueFd() : TRY(sys::connect_datagram(path)));
  if (watched.empty() || parse_int<pid_t>(watched) == ::getpid())
    store.watchdog_ = std::chrono::microseconds(parse_int<std::int64_t>(interval).value_or(0));
  // A Keeper cannot know our number before it starts us, and gives its own.
  const auto meant = parse_int<pid_t>(process);
  if (meant != ::getpid() && meant != ::getppid()) return store;
  int descriptor = kFirst;
  const auto words = split(names, ':');
  for (int i = 0; i < parse_int<int>(count).value_or(0); ++i, ++descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    const auto name =
        static_cast<std::size_t>(i) < words.size() ? std::string(words[static_cast<std::size_t>(i)]) : "";
    store.left_[name] = UniqueFd{descriptor};
  }
  return store;
}

UniqueFd FdStore::take(std::string_view name) {
  const auto found = left_.find(name);
  if (found == left_.end()) return {};
  auto descriptor = std::move(found->second);
  left_.erase(found);
  return descriptor;
}

std::map<std::string, UniqueFd> FdStore::take_all(std::string_view prefix) {
  std::map<std::string, UniqueFd> taken;
  for (auto entry = left_.lower_bound(prefix); entry != left_.end() && entry->first.starts_with(prefix);) {
    taken.insert(std::move(*entry));
    entry = left_.erase(entry);
  }
  return taken;
}

Result<> FdStore::keep(const std::string& name, int descriptor) {
  if (!socket_) return {};
  const std::array fds{descriptor};
  // FDPOLL=0: systemd refuses to keep what cannot be polled, as an O_PATH descriptor, unless told not to.
  return during("have " + name + " kept",
                sys::send_message(socket_.get(), "FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, fds));
}

void FdStore::drop(const std::string& name) { tell("FDSTOREREMOVE=1\nFDNAME=" + name); }

void FdStore::tell(std::string_view text) {
  if (socket_) static_cast<void>(sys::send_message(socket_.get(), text));
}

}  // namespace nacre::procfs
