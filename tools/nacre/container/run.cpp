// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/socket.h"
#include "runtime/attend.h"
#include "tools/nacre/container/container.h"

namespace nacre::tool {
namespace {

Result<> close_input() {
  const auto null = TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
  return sys::succeed([&] { return ::dup2(null.get(), STDIN_FILENO); });
}

// The supervisor's first words to the command the user typed: "+ID", or "-CODE TEXT".
Result<std::string> read_report(std::string_view report) {
  if (report.starts_with('+')) return std::string(report.substr(1));
  if (!report.starts_with('-'))
    return bad_input("the container's supervisor was killed before the container started");
  const auto blank = report.find(' ');
  return fail(parse_int<int>(report.substr(1, blank - 1)).value_or(EIO),
              std::string(report.substr(blank + 1)));
}

Result<> supervise_in_background(const RunOptions& options, UniqueFd& report) {
  TRY(close_input());
  auto container = TRY(Container::create(options));
  TRY(container.start());
  TRY(sys::send_message(report.get(), "+" + container.record().id));
  report.reset();
  // Standard output is the log by now.
  return container.finish(TRY(container.supervise(-1, STDOUT_FILENO)));
}

}  // namespace

Result<int> run_foreground(const RunOptions& options) {
  runtime::prepare_to_attend();
  if (!options.interactive) TRY(close_input());
  auto container = TRY(Container::create(options));
  TRY(container.start());
  const int code = TRY(container.supervise(options.interactive ? STDIN_FILENO : -1, STDOUT_FILENO));
  TRY(container.finish(code));
  return code;
}

Result<std::string> run_detached(const RunOptions& options) {
  auto [ours, theirs] = TRY(sys::seqpacket_pair());
  const pid_t supervisor = ::fork();
  if (supervisor < 0) return fail(errno, "fork");
  if (supervisor == 0) {
    ours.reset();
    ::setsid();
    runtime::prepare_to_attend();
    const auto done = supervise_in_background(options, theirs);
    if (!done && theirs)
      static_cast<void>(sys::send_message(
          theirs.get(), "-" + std::to_string(done.error().code) + " " + done.error().context));
    ::_exit(done ? 0 : 1);
  }
  theirs.reset();
  return read_report(TRY(sys::receive_message(ours.get())).text);
}

}  // namespace nacre::tool
