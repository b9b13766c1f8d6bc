// SPDX-License-Identifier: Apache-2.0
#include "runtime/attend.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string_view>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"

namespace nacre::runtime {
namespace {

constexpr std::array kForwarded{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
constexpr char kInterruptKey = 3;  // ctrl-C

sigset_t relayed_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kForwarded) sigaddset(&set, signal);
  sigaddset(&set, SIGWINCH);
  return set;
}

// The user's terminal in raw mode until the end of the scope. Does nothing when standard
// input is no terminal.
class RawTerminal {
 public:
  RawTerminal() {
    termios mode{};
    if (::tcgetattr(STDIN_FILENO, &mode) != 0) return;
    saved_ = mode;
    ::cfmakeraw(&mode);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &mode);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (saved_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*saved_);
  }

 private:
  std::optional<termios> saved_;
};

class Relay {
 public:
  Relay(const Attendance& options, int process) : options_(options), process_(process) {}

  // Returns the signal that killed the process in place of one it would not have seen, or 0.
  Result<int> run(int signals) {
    copy_window_size();
    for (;;) {
      std::array<pollfd, 4> events{{{process_, POLLIN, 0},
                                    {signals, POLLIN, 0},
                                    {options_.master, POLLIN, 0},
                                    {options_.input, POLLIN, 0}}};
      if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return fail(errno, "poll");
      if (events[1].revents != 0) take_signal(signals);
      if (events[2].revents != 0) copy_output();
      if (events[3].revents != 0) copy_input();
      if (events[0].revents != 0) break;
    }
    drain();
    return killed_by_;
  }

 private:
  void copy_window_size() const {
    winsize size{};
    if (options_.master >= 0 && ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
      ::ioctl(options_.master, TIOCSWINSZ, &size);
  }

  void take_signal(int signals) {
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof(info)) != sizeof(info)) return;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH) return copy_window_size();
    deliver(signal);
  }

  void deliver(int signal) {
    const bool deadly = options_.insist && signal != SIGUSR1 && signal != SIGUSR2;
    if (deadly && !handles_signal(options_.pid, signal)) {
      killed_by_ = signal;
      static_cast<void>(sys::pidfd_signal(process_, SIGKILL));
    } else {
      static_cast<void>(sys::pidfd_signal(process_, signal));
    }
  }

  // False when there is nothing more to come.
  bool copy_output() {
    std::array<char, 16384> buffer;
    const auto size = ::read(options_.master, buffer.data(), buffer.size());
    if (size <= 0) {
      options_.master = -1;
      return false;
    }
    static_cast<void>(sys::write_all(options_.output, {buffer.data(), static_cast<std::size_t>(size)}));
    return true;
  }

  void copy_input() {
    std::array<char, 4096> buffer;
    const auto size = ::read(options_.input, buffer.data(), buffer.size());
    if (size <= 0) {
      options_.input = -1;
      // End of input is ctrl-D to whoever reads the terminal.
      if (options_.master >= 0) static_cast<void>(!::write(options_.master, "\4", 1));
      return;
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    if (bytes.find(kInterruptKey) != std::string_view::npos && options_.insist && interrupt_would_be_lost())
      deliver(SIGINT);
    static_cast<void>(sys::write_all(options_.master, bytes));
  }

  // The pty would turn ctrl-C into a signal for pid 1 of the namespace, which the kernel
  // drops when there is no handler.
  bool interrupt_would_be_lost() const {
    termios mode{};
    pid_t group = 0;
    return ::tcgetattr(options_.master, &mode) == 0 && (mode.c_lflag & ISIG) != 0 &&
           ::ioctl(options_.master, TIOCGPGRP, &group) == 0 && group == options_.pid &&
           !handles_signal(options_.pid, SIGINT);
  }

  // What the process wrote last is still in the pty.
  void drain() {
    pollfd event{options_.master, POLLIN, 0};
    while (event.fd >= 0 && ::poll(&event, 1, 0) == 1 && copy_output()) event.fd = options_.master;
  }

  Attendance options_;
  int process_;
  int killed_by_ = 0;
};

}  // namespace

bool handles_signal(pid_t pid, int signal) {
  const auto status = sys::read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
  for (const auto line : split(status, '\n')) {
    if (!line.starts_with("SigCgt:") && !line.starts_with("SigIgn:")) continue;
    const auto mask = parse_int<std::uint64_t>(trim(line.substr(7)), 16).value_or(0);
    if ((mask >> (signal - 1) & 1) != 0) return true;
  }
  return false;
}

void block_relayed_signals() {
  const auto set = relayed_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

Result<int> attend(const Attendance& options) {
  const auto process = TRY(sys::pidfd_open(options.pid));
  const auto set = relayed_signals();
  const UniqueFd signals{TRY(sys::checked([&] { return ::signalfd(-1, &set, SFD_CLOEXEC); }))};
  std::optional<RawTerminal> raw;
  if (options.master >= 0 && options.input >= 0) raw.emplace();
  const int killed_by = TRY(Relay(options, process.get()).run(signals.get()));
  const int code = TRY(sys::wait_for(options.pid));
  return killed_by != 0 ? 128 + killed_by : code;
}

}  // namespace nacre::runtime
