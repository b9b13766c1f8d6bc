// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/log.h"
#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/process.h"
#include "base/sys/socket.h"

namespace nacre::procfs {
namespace {

constexpr const char* kKeeperVariable = "NACRE_PROCFS_KEEPER";
// Daemons in a row that fail before they serve.
constexpr int kMostFailures = 5;

Result<UniqueFd> wanted_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&signals, signal);
  TRY(sys::succeed([&] { return ::sigprocmask(SIG_BLOCK, &signals, nullptr); }));
  return UniqueFd{TRY(sys::checked([&] { return ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK); }))};
}

std::string value_in(std::string_view text, std::string_view key) {
  for (const auto line : split(text, '\n'))
    if (line.starts_with(key)) return std::string(line.substr(key.size()));
  return {};
}

}  // namespace

Result<Keeper> Keeper::create(std::vector<std::string> arguments, const std::string& directory,
                              UniqueFd lock) {
  const auto path = directory + "/notify";
  auto notify = TRY(sys::bind_datagram(path));
  TRY(sys::succeed([&] { return ::fcntl(notify.get(), F_SETFL, O_NONBLOCK); }));
  Keeper keeper(std::move(arguments), path, std::move(notify));
  keeper.kept_["lock"] = std::move(lock);
  return keeper;
}

Keeper::~Keeper() {
  if (notify_) ::unlink(path_.c_str());
}

Result<> Keeper::start() {
  const auto self = std::to_string(::getpid());
  std::vector<std::string> environment{kKeeperVariable + ("=" + self), "NOTIFY_SOCKET=" + path_,
                                       "LISTEN_PID=" + self, "LISTEN_FDS=" + std::to_string(kept_.size())};
  std::string names;
  std::vector<std::pair<int, int>> fds{{1, 1}, {2, 2}};
  for (const auto& [name, descriptor] : kept_) {
    names += (names.empty() ? "" : ":") + name;
    fds.emplace_back(descriptor.get(), static_cast<int>(fds.size()) + 1);
  }
  environment.push_back("LISTEN_FDNAMES=" + names);
  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  ready_ = false;
  daemon_ = TRY(sys::spawn({.argv = arguments_, .environment = environment, .fds = fds, .cgroup_procs = {}}));
  return {};
}

std::optional<int> Keeper::reap() {
  std::optional<int> ended;
  int status = 0;
  // Others are what a daemon leaves behind where this is process 1.
  while (const pid_t child = ::waitpid(-1, &status, WNOHANG)) {
    if (child < 0) break;
    if (child == daemon_) ended = status;
  }
  return ended;
}

void Keeper::listen() {
  while (auto message = sys::receive_message(notify_.get())) {
    const auto name = value_in(message->text, "FDNAME=");
    if (message->text.starts_with("FDSTORE=1") && message->fds.size() == 1)
      kept_[name] = std::move(message->fds[0]);
    if (message->text.starts_with("FDSTOREREMOVE=1")) kept_.erase(name);
    if (message->text.starts_with("READY=1")) ready_ = true;
  }
}

void Keeper::pass_on(int signals) {
  signalfd_siginfo received{};
  while (::read(signals, &received, sizeof(received)) == sizeof(received))
    if (const auto number = static_cast<int>(received.ssi_signo); number != SIGCHLD) {
      ending_ |= number != SIGHUP;
      ::kill(daemon_, number);
    }
}

// A machine that is short of memory, or a program that is being replaced, may be better in a moment.
Result<> Keeper::start_again(int& failures) {
  for (;;) {
    if (failures > 0) std::this_thread::sleep_for(std::chrono::milliseconds(20 << failures));
    auto started = start();
    if (started || ++failures >= kMostFailures) return started;
    log::warning(started.error().message() + "; tried again");
  }
}

Result<int> Keeper::run(const std::function<void()>& on_ready) {
  const auto signals = TRY(wanted_signals());
  bool told = false;
  int failures = 0;
  TRY(start());
  for (;;) {
    std::array<pollfd, 2> events{{{notify_.get(), POLLIN, 0}, {signals.get(), POLLIN, 0}}};
    ::poll(events.data(), events.size(), -1);
    pass_on(signals.get());
    const auto status = reap();
    listen();  // also to the last words
    if (ready_ && !told) {
      on_ready();
      told = true;
    }
    if (!status) continue;
    const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
    if (code == 0 || !told) return code;
    // Killed when it was about to end anyway, or before it could know.
    if (ending_) return code;
    // Whoever kills it, an operator or the kernel for want of memory, means no fault of its own.
    const bool failed = !ready_ && !(WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL);
    failures = failed ? failures + 1 : 0;
    if (failures >= kMostFailures)
      return bad_input("the daemon does not come back: it fails before it serves, for the reason above");
    if (code != kReplaceMe)
      log::warning("the daemon ended with " + std::to_string(code) + " and is started again");
    TRY(start_again(failures));
  }
}

pid_t end_with_keeper() {
  const char* const text = std::getenv(kKeeperVariable);
  const auto keeper = text == nullptr ? std::nullopt : parse_int<pid_t>(text);
  ::unsetenv(kKeeperVariable);
  if (!keeper || *keeper != ::getppid()) return 0;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // It may have ended before.
  if (::getppid() != *keeper) ::_exit(1);
  return *keeper;
}

}  // namespace nacre::procfs
