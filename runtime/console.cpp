// SPDX-License-Identifier: Apache-2.0
#include "runtime/console.h"

#include <poll.h>
#include <unistd.h>

#include "base/sys/file.h"
#include "base/sys/socket.h"

namespace nacre::runtime {

Result<ConsoleSocket> ConsoleSocket::in(const std::string& directory) {
  TRY(sys::make_directories(directory, 0700));
  auto path = directory + "/.console." + std::to_string(::getpid());
  auto socket = TRY(during("console socket", sys::listen_stream(path)));
  return ConsoleSocket(std::move(path), std::move(socket));
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
