// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sys/socket.h"
#include "base/unique_fd.h"

// Processes for what may keep whoever does it from ever ending: a thread that waits for a file system that
// does not answer cannot be killed, nor one that waits for an answer of FUSE that somebody has begun to make
// (kernel: fs/fuse/dev.c, request_wait_answer), and a process with such a thread does not end. Its
// descriptors stay open, and its parent hears nothing. A daemon that has such things done by helpers waits
// for them as for any socket, and goes without them.
namespace nacre::sys {

struct HelperKind {
  const char* name;                   // as ps(1) shows it, up to 15 characters
  std::span<const int> capabilities;  // CAP_* that it has
  std::span<const int> calls;         // system calls beside those of allow_only()
  bool keeps = false;                 // the descriptor that helpers are started with
  // Answers a message; `kept` is that descriptor, or -1.
  Result<Message> (*answer)(const Message& question, int kept);
};

// Starts helpers for a daemon that may start no process itself.
class Helpers {
 public:
  // `kept` is a descriptor for those that keep it; what else is open here they close. `on_lost` is called, on
  // any thread, when no more can be started. Before any thread is started, and before the caller gives up
  // what they need. They end with this process, also when they wait for something that can be interrupted by
  // that.
  static Result<Helpers> start(std::vector<const HelperKind*> kinds, int kept,
                               std::function<void(const Error&)> on_lost = {});

  // How long to wait for one.
  struct Limit {
    std::chrono::milliseconds patience = std::chrono::milliseconds::max();
    // Looks for the answer for so long before it sleeps: being woken takes longer than most answers.
    std::chrono::microseconds poll{0};
    int interrupt = -1;              // a descriptor that ends the wait when it is readable
    std::function<bool()> wanted{};  // asked every second; the wait ends when it says no
  };
  // The socket by which another one is asked; it ends with that. From any thread.
  Result<UniqueFd> start_one(const HelperKind& kind);
  // Takes the socket of one that has not answered. Nobody may have any number of them held up, so they are
  // counted.
  void leave(UniqueFd socket);
  bool may_leave_another();

 private:
  Helpers(UniqueFd socket, std::function<void(const Error&)> on_lost)
      : socket_(std::move(socket)), on_lost_(std::move(on_lost)) {}
  void forget_ended();  // of those left; with mutex_ held
  UniqueFd socket_;     // none once nacre-helpers was lost
  std::function<void(const Error&)> on_lost_;
  // Of a question and its answer, and of those left.
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  std::vector<UniqueFd> left_;
};

// One of them, and another when that one does not answer. For one thread at a time.
class Helper {
 public:
  // Both outlive it.
  Helper(Helpers& helpers, const HelperKind& kind) : helpers_(helpers), kind_(kind) {}
  // Has it started by the time of the first question.
  Result<> prepare();
  // Its answer. One that has ended is replaced; ECONNRESET when there is no other. ETIMEDOUT or ECANCELED at
  // the limit: it is left to itself then.
  Result<Message> ask(std::string_view text, std::span<const int> fds, const Helpers::Limit& limit);
  // The same in two steps, between which the caller does something else; ECONNRESET also when it ends
  // between them. Nothing else is asked before the second.
  Result<> begin(std::string_view text, std::span<const int> fds);
  Result<Message> finish(const Helpers::Limit& limit);
  // Readable when finish() need not wait.
  int descriptor() const { return socket_.get(); }

 private:
  Helpers& helpers_;
  const HelperKind& kind_;
  UniqueFd socket_;
};

}  // namespace nacre::sys
