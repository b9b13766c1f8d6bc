// SPDX-License-Identifier: Apache-2.0
#include "runtime/attend.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/flow.h"

namespace nacre::runtime {
namespace {

constexpr std::array kForwarded{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
constexpr char kInterruptKey = 3;                  // ctrl-C
constexpr std::string_view kEndOfInputKey = "\4";  // ctrl-D

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

// The user's output by a descriptor that does not block, where it can have one of its own: the
// flag belongs to the open file, which others share.
UniqueFd reopened(int output) {
  struct stat st {};
  if (::fstat(output, &st) != 0 || !(S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) return {};
  const auto path = "/proc/self/fd/" + std::to_string(output);
  return UniqueFd{::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)};
}

// Of the user's terminal.
std::optional<winsize> window_size(int output) {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ::ioctl(output, TIOCGWINSZ, &size) == 0) return size;
  return std::nullopt;
}

class Relay {
 public:
  Relay(const Attendance& options, int process)
      : options_(options),
        process_(process),
        own_output_(reopened(options.output)),
        input_(options.input, options.master),
        output_(options.master, own_output_ ? own_output_.get() : options.output) {
    if (options.master >= 0) ::fcntl(options.master, F_SETFL, O_RDWR | O_NONBLOCK);
  }

  // Returns the signal that killed the process in place of one it would not have seen, or 0.
  Result<int> run(int signals) {
    copy_window_size();
    while (!finished_) {
      std::array<pollfd, 6> events{{{ended_ ? -1 : process_, POLLIN, 0},
                                    {signals, POLLIN, 0},
                                    input_.source(),
                                    input_.sink(),
                                    output_.source(),
                                    output_.sink()}};
      // What the process wrote last is still in the pty.
      const bool last_words = ended_ && !output_.waiting();
      const int ready = ::poll(events.data(), events.size(), last_words ? 0 : -1);
      if (ready < 0 && errno != EINTR) return fail(errno, "poll");
      if (events[1].revents != 0) take_signal(signals);
      if (events[2].revents != 0) take_input();
      if (events[3].revents != 0) input_.drain();
      if (events[4].revents != 0) output_.fill();
      // As when a terminal is closed.
      if (events[5].revents != 0 && !output_.drain()) deliver(SIGHUP);
      if (events[0].revents != 0) {
        ended_ = true;
        input_.stop();
      } else if (last_words && events[4].revents == 0) {
        finished_ = true;
      }
    }
    return killed_by_;
  }

 private:
  void copy_window_size() const {
    if (options_.master < 0) return;
    if (const auto size = window_size(options_.output)) ::ioctl(options_.master, TIOCSWINSZ, &*size);
  }

  void take_signal(int signals) {
    signalfd_siginfo info{};
    if (::read(signals, &info, sizeof(info)) != sizeof(info)) return;
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGWINCH) return copy_window_size();
    deliver(signal);
  }

  void deliver(int signal) {
    const bool deadly = signal != SIGUSR1 && signal != SIGUSR2;
    if (ended_) {
      // Only output that nobody reads keeps us here.
      finished_ = finished_ || deadly;
    } else if (deadly && options_.insist && !handles_signal(options_.pid, signal)) {
      killed_by_ = signal;
      static_cast<void>(sys::pidfd_signal(process_, SIGKILL));
    } else {
      static_cast<void>(sys::pidfd_signal(process_, signal));
    }
  }

  void take_input() {
    const auto bytes = input_.fill();
    // End of input is ctrl-D to whoever reads the terminal.
    if (input_.ended()) input_.put(kEndOfInputKey);
    if (bytes.find(kInterruptKey) != std::string_view::npos && options_.insist && interrupt_would_be_lost())
      deliver(SIGINT);
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

  Attendance options_;
  int process_;
  UniqueFd own_output_;
  Flow input_;
  Flow output_;
  int killed_by_ = 0;
  bool ended_ = false;     // the process
  bool finished_ = false;  // nothing is left to relay
};

}  // namespace

bool handles_signal(pid_t pid, int signal) {
  // A blocked signal waits for sigwaitinfo(2) or a signalfd, as small inits take theirs.
  constexpr std::array<std::string_view, 3> kMasks{"SigBlk:", "SigIgn:", "SigCgt:"};
  const auto status = sys::read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
  for (const auto line : split(status, '\n')) {
    if (std::ranges::none_of(kMasks, [&](auto name) { return line.starts_with(name); })) continue;
    const auto mask = parse_int<std::uint64_t>(trim(line.substr(7)), 16).value_or(0);
    if ((mask >> (signal - 1) & 1) != 0) return true;
  }
  return false;
}

void prepare_to_attend() {
  ::signal(SIGPIPE, SIG_IGN);
  const auto set = relayed_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void fit_to_window(spec::Process& process) {
  if (!process.terminal || process.console_height != 0 || process.console_width != 0) return;
  if (const auto size = window_size(STDOUT_FILENO)) {
    process.console_height = size->ws_row;
    process.console_width = size->ws_col;
  }
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
