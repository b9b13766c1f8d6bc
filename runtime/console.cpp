// SPDX-License-Identifier: Apache-2.0
#include "runtime/console.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/sys/checked.h"
#include "base/sys/socket.h"

namespace nacre::runtime {

Result<ConsoleSocket> ConsoleSocket::listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return fail(ENAMETOOLONG, "console socket " + path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket{TRY(sys::checked([] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }))};
  ::unlink(path.c_str());
  TRY(during("console socket " + path, sys::succeed([&] {
               return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
             })));
  TRY(sys::succeed([&] { return ::listen(socket.get(), 1); }));
  return ConsoleSocket(path, std::move(socket));
}

ConsoleSocket::~ConsoleSocket() {
  if (socket_) ::unlink(path_.c_str());
}

Result<UniqueFd> ConsoleSocket::receive() {
  pollfd ready{socket_.get(), POLLIN, 0};
  if (::poll(&ready, 1, 10'000) != 1) return fail(ETIMEDOUT, "wait for the container's terminal");
  const auto connection = TRY(sys::accept_connection(socket_.get()));
  auto message = TRY(sys::receive_message(connection.get()));
  if (message.fds.empty()) return fail(EPROTO, "receive the container's terminal");
  return std::move(message.fds.front());
}

}  // namespace nacre::runtime
