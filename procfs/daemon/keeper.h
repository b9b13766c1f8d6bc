// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// How a daemon ends that wants a successor, perhaps of a newer program, with everything that is kept.
inline constexpr int kReplaceMe = 75;  // EX_TEMPFAIL

// The parent of the daemon where there is no systemd: it holds what the daemon wants kept and starts the next
// one when one dies. It does nothing else, so that there is nothing in it to fail.
class Keeper {
 public:
  // `arguments` start the daemon, the program's path first. `directory` is the daemon's; it exists, and
  // `lock` is its lock, kept for the daemon under the name "lock".
  static Result<Keeper> create(std::vector<std::string> arguments, const std::string& directory,
                               UniqueFd lock);
  Keeper(Keeper&&) = default;
  ~Keeper();

  // Until the daemon ends by itself; its exit code. `on_ready` is called once, when it serves. SIGTERM,
  // SIGINT and SIGHUP are passed on; they must be blocked, as SIGCHLD.
  Result<int> run(const std::function<void()>& on_ready);

 private:
  Keeper(std::vector<std::string> arguments, std::string path, UniqueFd notify)
      : arguments_(std::move(arguments)), path_(std::move(path)), notify_(std::move(notify)) {}
  Result<> start();
  Result<> start_again(int& failures);
  void pass_on(int signals);
  std::optional<int> reap();  // how the daemon ended, as wait(2) says it, if it has
  void listen();              // to what the daemon has said

  std::vector<std::string> arguments_;
  std::string path_;  // of the socket
  UniqueFd notify_;
  std::map<std::string, UniqueFd> kept_;
  pid_t daemon_ = 0;
  bool ready_ = false;   // this daemon
  bool ending_ = false;  // somebody wants it to
};

// The process that keeps for this one; 0 without one. The calling process ends when it does.
pid_t end_with_keeper();

}  // namespace nacre::procfs
