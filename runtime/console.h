// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::runtime {

// Waits on a UNIX socket for the master side of a container's pty, as the runtime sends it.
class ConsoleSocket {
 public:
  static Result<ConsoleSocket> listen(const std::string& path);
  ConsoleSocket(ConsoleSocket&&) = default;
  ConsoleSocket& operator=(ConsoleSocket&&) = default;
  ~ConsoleSocket();
  const std::string& path() const { return path_; }
  Result<UniqueFd> receive();

 private:
  ConsoleSocket(std::string path, UniqueFd socket) : path_(std::move(path)), socket_(std::move(socket)) {}
  std::string path_;
  UniqueFd socket_;
};

// The user's terminal in raw mode until the end of the scope. Does nothing when standard
// input is no terminal.
class RawTerminal {
 public:
  RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

 private:
  std::optional<termios> saved_;
};

struct RelayOptions {
  int master = -1;      // the container's pty; -1 without one
  int input = -1;       // copied to the pty; -1: nothing
  int output = -1;      // what the pty says goes here
  int process = -1;     // pidfd of the container's process; its end ends the relay
  pid_t pid = -1;       // the same process, for signals
  bool insist = false;  // a signal that would be lost kills instead, see relay()
};

// Carries bytes, window sizes and signals between the user and a process until the process
// ends and its pty is drained. The caller has blocked the signals, see block_relayed_signals().
// With `insist` a signal that would be lost because the process, being pid 1 of its namespace,
// has no handler for it kills it instead; that signal's number is returned, 0 otherwise.
Result<int> relay(const RelayOptions& options);

// Whether a process catches or ignores a signal on purpose (proc_pid_status(5)). A pid 1 that
// does neither never sees it.
bool handles_signal(pid_t pid, int signal);

// Blocks what relay() forwards, and SIGWINCH, in this thread. Programs started later begin
// with nothing blocked.
void block_relayed_signals();

}  // namespace nacre::runtime
