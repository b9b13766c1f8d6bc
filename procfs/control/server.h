// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "base/sys/socket.h"
#include "base/unique_fd.h"
#include "procfs/control/service.h"

namespace nacre::procfs {

// The control socket, and the one to which OCI runtimes hand seccomp listeners: many
// connections, one thread. A client that is malicious or slow gets an error or loses its
// connection; nothing it does stops the others.
class Server {
 public:
  struct Options {
    std::string path;                                    // of the socket file, removed when leaving
    std::optional<std::chrono::milliseconds> idle_exit;  // leave after that long without containers
    std::function<void()> on_idle;                       // called once, when leaving
    std::chrono::milliseconds alive_every{0};            // 0: never
    std::function<void()> on_alive{};                    // called so often while this thread goes round
  };
  // `listener` is listening on options.path, `seccomp` where profiles say.
  static Result<Server> create(Service& service, UniqueFd listener, UniqueFd seccomp, Options options);

  // Serves until stop() or for lack of containers.
  void run();
  void stop();                                   // from any thread
  bool left_idle() const { return left_idle_; }  // once run() has returned

 private:
  struct Client {
    UniqueFd socket;
    bool hands_over = false;  // an OCI runtime with a seccomp listener, which expects no answer
    bool greeted = false;
    bool gone = false;
  };
  Server(Service& service, UniqueFd listener, UniqueFd seccomp, UniqueFd wake, Options options)
      : service_(service),
        listener_(std::move(listener)),
        seccomp_(std::move(seccomp)),
        wake_(std::move(wake)),
        options_(std::move(options)) {}

  bool wait();
  void finish_handing_over();
  void accept_all(const UniqueFd& listener);
  void receive(Client& client);
  void take_over(Client& client);
  Service::Reply answer(Client& client, sys::Message message);
  Service::Reply greet(Client& client, const control::Request& request);
  bool may_leave();
  void say_alive();
  int timeout() const;

  Service& service_;
  UniqueFd listener_;
  UniqueFd seccomp_;
  UniqueFd wake_;
  Options options_;
  bool left_idle_ = false;
  std::list<Client> clients_;
  std::chrono::steady_clock::time_point last_busy_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_alive_{};
};

}  // namespace nacre::procfs
