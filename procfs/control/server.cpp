// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "base/sys/checked.h"
#include "base/sys/socket.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;

// More connections than any number of container starts at once needs.
constexpr std::size_t kMostClients = 512;
// A runtime that has connected sends its listener at once.
constexpr auto kHandOverPatience = 100ms;

Result<> set_nonblocking(int fd) {
  return sys::succeed([&] { return ::fcntl(fd, F_SETFL, O_NONBLOCK); });
}

Service::Reply refuse(int code, std::string text) {
  Service::Reply reply;
  reply.answer.error = Error{code, std::move(text)};
  return reply;
}

bool is_trusted(int socket) {
  const auto peer = sys::peer_of(socket);
  return peer && (peer->uid == 0 || peer->uid == ::geteuid());
}

Result<> send(int socket, const Service::Reply& reply) {
  std::vector<int> fds;
  for (const auto& fd : reply.fds) fds.push_back(fd.get());
  return sys::send_message(socket, control::encode(reply.answer), fds);
}

}  // namespace

Result<Server> Server::create(Service& service, UniqueFd listener, UniqueFd seccomp, Options options) {
  TRY(set_nonblocking(listener.get()));
  TRY(set_nonblocking(seccomp.get()));
  UniqueFd wake{TRY(sys::checked([] { return ::eventfd(0, EFD_CLOEXEC); }))};
  return Server(service, std::move(listener), std::move(seccomp), std::move(wake), std::move(options));
}

void Server::stop() { static_cast<void>(!::eventfd_write(wake_.get(), 1)); }

void Server::run() {
  for (say_alive(); wait(); say_alive())
    if (may_leave()) {
      left_idle_ = true;
      options_.on_idle();
      break;
    }
  finish_handing_over();
  clients_.clear();
  listener_.reset();
  seccomp_.reset();
}

int Server::timeout() const {
  auto longest = std::chrono::milliseconds::max();
  if (options_.idle_exit)
    longest = std::clamp<std::chrono::milliseconds>(*options_.idle_exit / 4, 20ms, 5000ms);
  if (options_.alive_every > 0ms) longest = std::min(longest, std::max(options_.alive_every, 20ms));
  return longest == std::chrono::milliseconds::max() ? -1 : static_cast<int>(longest.count());
}

void Server::say_alive() {
  const auto now = std::chrono::steady_clock::now();
  if (options_.alive_every <= 0ms || now - last_alive_ < options_.alive_every) return;
  last_alive_ = now;
  options_.on_alive();
}

bool Server::wait() {
  service_.work_ahead();
  std::vector<pollfd> events{{wake_.get(), POLLIN, 0},
                             {listener_.get(), POLLIN, 0},
                             {seccomp_.get(), POLLIN, 0},
                             {service_.work_ahead_when(), POLLIN, 0}};
  for (const auto& client : clients_) events.push_back({client.socket.get(), POLLIN, 0});
  if (::poll(events.data(), events.size(), timeout()) < 0) return true;
  if (events[0].revents != 0) return false;
  auto event = events.begin() + 4;
  for (auto& client : clients_)
    if ((event++)->revents != 0) receive(client);
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
  if (events[1].revents != 0) accept_all(listener_);
  if (events[2].revents != 0) accept_all(seccomp_);
  return true;
}

// Nobody who has connected to the other socket is lost: a client of the control socket asks the successor,
// and what has not been accepted yet waits for it. An OCI runtime does not ask twice.
void Server::finish_handing_over() {
  const auto end = std::chrono::steady_clock::now() + kHandOverPatience;
  for (auto& client : clients_) {
    if (!client.hands_over) continue;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd event{client.socket.get(), POLLIN, 0};
    if (::poll(&event, 1, static_cast<int>(std::max(left, 0ms).count())) == 1) take_over(client);
  }
}

void Server::accept_all(const UniqueFd& listener) {
  while (auto socket = sys::accept_connection(listener.get())) {
    // Answers must never wait for a client that does not read.
    if (clients_.size() < kMostClients && set_nonblocking(socket->get()))
      clients_.push_back({.socket = std::move(*socket), .hands_over = &listener == &seccomp_});
  }
}

void Server::take_over(Client& client) {
  auto message = sys::receive_message(client.socket.get());
  if (!message && message.error().code == EAGAIN) return;
  client.gone = true;
  if (!message || !is_trusted(client.socket.get())) return;
  // Nobody waits for an answer; the container's calls fail when the listener is closed.
  const auto taken = service_.take_process_state(message->text, std::move(message->fds));
  if (!taken) log::warning("a runtime's seccomp listener: " + taken.error().message());
}

void Server::receive(Client& client) {
  if (client.hands_over) return take_over(client);
  auto message = sys::receive_message(client.socket.get());
  if (!message && message.error().code == EAGAIN) return;
  if (!message && message.error().code != EMSGSIZE) {
    client.gone = true;
    return;
  }
  if (message && message->text.empty() && message->fds.empty()) {
    client.gone = true;
    return;
  }
  const auto reply =
      message ? answer(client, std::move(*message)) : refuse(kBadInput, "control message too long");
  if (!send(client.socket.get(), reply)) client.gone = true;
}

Service::Reply Server::answer(Client& client, sys::Message message) {
  const auto request = control::decode_request(message.text);
  if (!request) return refuse(request.error().code, request.error().context);
  if (!client.greeted) return greet(client, *request);
  return service_.handle(*request, std::move(message.fds));
}

Service::Reply Server::greet(Client& client, const control::Request& request) {
  if (!is_trusted(client.socket.get()))
    return refuse(EACCES, "only root and the user of nacre-procfs may talk to it");
  if (request.operation != control::Operation::hello)
    return refuse(kBadInput, "the first control message must be a greeting");
  if (request.version != control::kVersion)
    return refuse(EPROTO, "this nacre-procfs speaks control protocol " + std::to_string(control::kVersion) +
                              ", the client " + std::to_string(request.version));
  client.greeted = true;
  return {};
}

// A client may connect at the very moment of leaving: the socket is first moved out of its
// way, and whoever came before that is served after all.
bool Server::may_leave() {
  const auto now = std::chrono::steady_clock::now();
  if (!clients_.empty() || !service_.unused()) last_busy_ = now;
  if (!options_.idle_exit || now - last_busy_ < *options_.idle_exit) return false;
  const std::string aside = options_.path + ".leaving";
  if (::rename(options_.path.c_str(), aside.c_str()) != 0) return true;  // somebody removed it
  accept_all(listener_);
  if (clients_.empty()) {
    ::unlink(aside.c_str());
    return true;
  }
  ::rename(aside.c_str(), options_.path.c_str());
  last_busy_ = now;
  return false;
}

}  // namespace nacre::procfs
