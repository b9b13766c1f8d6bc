// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>

#include "base/control/message.h"
#include "base/control/protocol.h"
#include "base/sys/checked.h"
#include "base/sys/socket.h"

namespace nacre::control {
namespace {

// A daemon that is stopped in a debugger must not hang every container start.
constexpr int kPatienceSeconds = 10;
// How many daemons may end in the middle of one call.
constexpr int kMostSuccessors = 8;

// A daemon that was killed, by the kernel for want of memory or by an upgrade, has a successor on the same
// socket.
bool has_ended(const Error& error) {
  return error.code == ECONNRESET || error.code == EPIPE || error.code == ENOTCONN;
}

Result<sys::Message> receive(int socket) {
  auto message = sys::receive_message(socket);
  if (!message && (message.error().code == EAGAIN || message.error().code == EWOULDBLOCK))
    return fail(ETIMEDOUT, "nacre-procfs did not answer");
  if (!message) return during("nacre-procfs", std::move(message));
  if (message->text.empty()) return fail(ECONNRESET, "nacre-procfs closed the connection");
  return message;
}

Result<sys::Message> exchange(int socket, const Request& request, std::span<const int> fds = {}) {
  TRY(during("nacre-procfs", sys::send_message(socket, encode(request), fds)));
  return receive(socket);
}

// A connection on which the daemon has been greeted.
Result<UniqueFd> greeted(const std::string& path) {
  auto connected = TRY(sys::connect_seqpacket(path));
  const int socket = connected.get();
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  TRY(sys::succeed(
      [&] { return ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)); }));
  const auto message =
      TRY(exchange(socket, {.operation = Operation::hello, .version = kVersion, .registration = {}}));
  const auto answer = TRY(decode_answer(message.text));
  if (answer.version != kVersion)
    return fail(EPROTO, "nacre-procfs at " + path + " speaks control protocol " +
                            std::to_string(answer.version) + ", this program " + std::to_string(kVersion) +
                            "; restart nacre-procfs after an upgrade");
  if (answer.error) return std::unexpected(*answer.error);
  return connected;
}

}  // namespace

struct Client::Reply {
  Answer answer;
  std::vector<UniqueFd> fds;
};

Result<Client> Client::connect(const std::string& path) {
  auto socket = greeted(path);
  for (int i = 0; i < kMostSuccessors && !socket && has_ended(socket.error()); ++i) socket = greeted(path);
  return Client(TRY(std::move(socket)), path);
}

Result<Client::Reply> Client::call(Request request, std::span<const int> fds) {
  auto message = exchange(socket_.get(), request, fds);
  for (int i = 0; i < kMostSuccessors && !message && has_ended(message.error()); ++i) {
    *this = TRY(connect(path_));
    request.registration.again = true;
    message = exchange(socket_.get(), request, fds);
  }
  if (!message) return std::unexpected(std::move(message.error()));
  auto answer = TRY(decode_answer(message->text));
  if (answer.error) return std::unexpected(std::move(*answer.error));
  return Reply{std::move(answer), std::move(message->fds)};
}

std::string daemon_directory() {
  const char* const chosen = std::getenv("NACRE_PROCFS_DIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/run/nacre/procfs";
}

std::string socket_path() { return daemon_directory() + "/control"; }

Result<std::vector<ViewMount>> Client::add(const Registration& registration) {
  auto reply = TRY(call({.operation = Operation::add, .version = kVersion, .registration = registration}));
  if (reply.answer.targets.size() != reply.fds.size())
    return fail(EPROTO, "nacre-procfs sent an incomplete set of mounts");
  std::vector<ViewMount> mounts;
  for (std::size_t i = 0; i < reply.fds.size(); ++i)
    mounts.push_back({std::move(reply.answer.targets[i]), std::move(reply.fds[i])});
  return mounts;
}

Result<> Client::add_listener(std::string_view id, int listener) {
  Request request{.operation = Operation::add_listener, .version = kVersion, .registration = {}};
  request.registration.id = id;
  const int fds[] = {listener};
  TRY(call(std::move(request), fds));
  return {};
}

Result<> Client::remove(std::string_view id) {
  Request request{.operation = Operation::remove, .version = kVersion, .registration = {}};
  request.registration.id = id;
  TRY(call(std::move(request)));
  return {};
}

Result<Status> Client::status() {
  return TRY(call({.operation = Operation::status, .version = kVersion, .registration = {}})).answer.status;
}

}  // namespace nacre::control
