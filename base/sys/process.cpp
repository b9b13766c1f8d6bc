// SPDX-License-Identifier: Apache-2.0
#include "base/sys/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::sys {
namespace {

// What a child that could not start reports over the pipe.
struct StartFailure {
  int code;
  std::array<char, 28> step;
};

[[noreturn]] void report_and_exit(int pipe, const char* step) {
  StartFailure failure{.code = errno, .step = {}};
  std::strncpy(failure.step.data(), step, failure.step.size() - 1);
  static_cast<void>(!::write(pipe, &failure, sizeof(failure)));
  ::_exit(127);
}

// Moves the wanted descriptors to their numbers: first out of the way, then into place.
bool place_fds(const std::vector<std::pair<int, int>>& wanted, std::vector<int>& lifted, int& pipe) {
  int highest = 2;
  for (const auto& [from, to] : wanted) highest = std::max(highest, to);
  pipe = ::fcntl(pipe, F_DUPFD_CLOEXEC, highest + 1);
  if (pipe < 0) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    lifted[i] = ::fcntl(wanted[i].first, F_DUPFD_CLOEXEC, highest + 1);
    if (lifted[i] < 0) return false;
  }
  const int null = ::open("/dev/null", O_RDWR);
  if (null < 0) return false;
  for (int fd = 0; fd < 3; ++fd)
    if (null != fd && ::dup2(null, fd) < 0) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (::dup2(lifted[i], wanted[i].second) < 0) return false;
  // Everything above goes at exec; what lies between and was not asked for goes now.
  for (int fd = 3; fd <= highest; ++fd)
    if (std::ranges::none_of(wanted, [fd](const auto& pair) { return pair.second == fd; })) ::close(fd);
  return ::syscall(SYS_close_range, highest + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

[[noreturn]] void become(const SpawnOptions& options, char** argv, char** environment,
                         std::vector<int>& lifted, int pipe) {
  if (options.new_session) ::setsid();
  for (const auto& path : options.cgroup_procs) {
    const UniqueFd procs{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!procs || ::write(procs.get(), "0", 1) != 1) report_and_exit(pipe, "join cgroup");
  }
  if (!place_fds(options.fds, lifted, pipe)) report_and_exit(pipe, "arrange descriptors");
  reset_signals();
  ::execve(argv[0], argv, environment);
  report_and_exit(pipe, "exec");
}

Result<pid_t> start(const SpawnOptions& options, bool detached) {
  // All memory is taken before fork: a child of a threaded program must not allocate.
  const auto argv = exec_array(options.argv);
  const auto given = options.environment ? exec_array(*options.environment) : std::vector<char*>{};
  char** const environment = options.environment ? const_cast<char**>(given.data()) : environ;
  std::vector<int> lifted(options.fds.size(), -1);
  std::array<int, 2> pipe{};
  TRY(succeed([&] { return ::pipe2(pipe.data(), O_CLOEXEC); }));
  const UniqueFd reading{pipe[0]};
  UniqueFd writing{pipe[1]};

  const pid_t child = ::fork();
  if (child < 0) return fail(errno, "fork");
  if (child == 0) {
    if (detached) {
      const pid_t grandchild = ::fork();
      if (grandchild < 0) report_and_exit(writing.get(), "fork");
      if (grandchild > 0) {
        const StartFailure number{.code = -grandchild, .step = {}};
        static_cast<void>(!::write(writing.get(), &number, sizeof(number)));
        ::_exit(0);
      }
    }
    become(options, const_cast<char**>(argv.data()), environment, lifted, writing.get());
  }
  writing.reset();
  if (detached) TRY(wait_for(child));

  // End of file without a record means that exec closed the pipe, so the program runs.
  pid_t started = child;
  StartFailure record{};
  for (;;) {
    const auto size = TRY(checked([&] { return ::read(reading.get(), &record, sizeof(record)); }));
    if (size == 0) return started;
    if (record.code < 0) {
      started = -record.code;
      continue;
    }
    if (!detached) TRY(wait_for(child));
    return fail(record.code, "start " + options.argv.front() + ": " + record.step.data());
  }
}

}  // namespace

std::vector<char*> exec_array(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const auto& text : strings) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void reserve_descriptors(int count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto last = std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(count)) - 1;
  const UniqueFd any{::eventfd(0, EFD_CLOEXEC)};
  const UniqueFd highest{::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(last))};
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<UniqueFd> pidfd_open(pid_t pid) {
  return UniqueFd{static_cast<int>(TRY(checked([&] { return ::syscall(SYS_pidfd_open, pid, 0); })))};
}

Result<> pidfd_signal(int pidfd, int signal) {
  return succeed([&] { return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0); });
}

Result<int> wait_for(pid_t child) {
  int status = 0;
  TRY(checked([&] { return ::waitpid(child, &status, 0); }));
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<pid_t> spawn(const SpawnOptions& options) { return start(options, false); }
Result<pid_t> spawn_detached(const SpawnOptions& options) { return start(options, true); }

Result<ProcessStat> parse_process_stat(std::string_view text) {
  // The command is in parentheses and may itself hold blanks and parentheses.
  const auto end = text.rfind(')');
  const auto fields = split_blank(end == std::string_view::npos ? std::string_view{} : text.substr(end + 1));
  if (fields.size() < 20 || fields[0].size() != 1) return bad_input("malformed /proc/PID/stat");
  const auto parent = parse_int<pid_t>(fields[1]);
  const auto started = parse_int<std::uint64_t>(fields[19]);
  if (!parent || !started) return bad_input("malformed /proc/PID/stat");
  return ProcessStat{fields[0][0], *parent, *started};
}

Result<ProcessStat> process_stat(pid_t pid) {
  auto text = read_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text)
    return fail(text.error().code == ENOENT ? ESRCH : text.error().code, std::move(text.error().context));
  return parse_process_stat(*text);
}

}  // namespace nacre::sys
