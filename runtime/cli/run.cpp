// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include <optional>

#include "base/scope_exit.h"
#include "base/sys/file.h"
#include "runtime/attend.h"
#include "runtime/cli/create_options.h"
#include "runtime/console.h"

namespace nacre::runtime::cli {
namespace {

struct RunArguments : CreateArguments {
  bool keep = false;
};

Result<int> run(const Invocation& call, const RunArguments& arguments) {
  auto options = TRY(create_options(call, arguments));
  std::optional<ConsoleSocket> console;
  if (options.spec.process && options.spec.process->terminal && options.console_socket.empty()) {
    if (arguments.detach)
      return bad_input("process.terminal is true: a detached container needs --console-socket");
    console = TRY(ConsoleSocket::in(call.root));
    options.console_socket = console->path();
    fit_to_window(*options.spec.process);
  }
  if (!arguments.detach) prepare_to_attend();
  const pid_t pid = TRY(create(options));
  ScopeExit undo{[&] { static_cast<void>(remove(options.root, options.id, true)); }};
  const auto terminal = console ? TRY(console->receive()) : UniqueFd{};
  TRY(start(options.root, options.id));
  if (arguments.detach) {
    undo.dismiss();
    return 0;
  }
  const int code = TRY(attend({.pid = pid,
                               .master = terminal.get(),
                               .input = terminal ? STDIN_FILENO : -1,
                               .output = STDOUT_FILENO}));
  undo.dismiss();
  if (!arguments.keep) TRY(remove(options.root, options.id, true));
  return code;
}

}  // namespace

void declare_run(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("run", "create and start a container, and wait for its command");
  const auto arguments = std::make_shared<RunArguments>();
  declare_create_options(*command, *arguments);
  command->add_flag("-d,--detach", arguments->detach, "do not wait");
  command->add_flag("--keep", arguments->keep, "do not delete the container when its command has ended");
  command->callback(
      [&call, arguments] { call.action = [&call, arguments] { return run(call, *arguments); }; });
}

}  // namespace nacre::runtime::cli
