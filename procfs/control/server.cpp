// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/server.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/sys/checked.h"
#include "base/sys/socket.h"

namespace nacre::procfs {
namespace {

using namespace std::chrono_literals;

// More connections than any number of container starts at once needs.
constexpr std::size_t kMostClients = 512;

Result<> set_nonblocking(int fd) {
  return sys::succeed([&] { return ::fcntl(fd, F_SETFL, O_NONBLOCK); });
}

Service::Reply refuse(int code, std::string text) {
  Service::Reply reply;
  reply.answer.error = Error{code, std::move(text)};
  return reply;
}

Result<> send(int socket, const Service::Reply& reply) {
  std::vector<int> fds;
  for (const auto& fd : reply.fds) fds.push_back(fd.get());
  return sys::send_message(socket, control::encode(reply.answer), fds);
}

}  // namespace

Result<Server> Server::create(Service& service, UniqueFd listener, Options options) {
  TRY(set_nonblocking(listener.get()));
  UniqueFd wake{TRY(sys::checked([] { return ::eventfd(0, EFD_CLOEXEC); }))};
  return Server(service, std::move(listener), std::move(wake), std::move(options));
}

void Server::stop() { static_cast<void>(!::eventfd_write(wake_.get(), 1)); }

void Server::run() {
  while (wait())
    if (may_leave()) {
      left_idle_ = true;
      options_.on_idle();
      break;
    }
  clients_.clear();
  listener_.reset();
}

int Server::timeout() const {
  if (!options_.idle_exit) return -1;
  return static_cast<int>(
      std::clamp<std::chrono::milliseconds>(*options_.idle_exit / 4, 20ms, 5000ms).count());
}

bool Server::wait() {
  std::vector<pollfd> events{{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
  for (const auto& client : clients_) events.push_back({client.socket.get(), POLLIN, 0});
  if (::poll(events.data(), events.size(), timeout()) < 0) return true;
  if (events[0].revents != 0) return false;
  auto event = events.begin() + 2;
  for (auto& client : clients_)
    if ((event++)->revents != 0) receive(client);
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
  if (events[1].revents != 0) accept_all();
  return true;
}

void Server::accept_all() {
  while (auto socket = sys::accept_connection(listener_.get())) {
    // Answers must never wait for a client that does not read.
    if (clients_.size() < kMostClients && set_nonblocking(socket->get()))
      clients_.push_back({std::move(*socket)});
  }
}

void Server::receive(Client& client) {
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
  const auto peer = sys::peer_of(client.socket.get());
  if (!peer || (peer->uid != 0 && peer->uid != ::geteuid()))
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
  accept_all();
  if (clients_.empty()) {
    ::unlink(aside.c_str());
    return true;
  }
  ::rename(aside.c_str(), options_.path.c_str());
  last_busy_ = now;
  return false;
}

}  // namespace nacre::procfs
