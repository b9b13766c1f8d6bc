// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <optional>

#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/attend.h"
#include "runtime/cli/commands.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "runtime/creation.h"
#include "runtime/spec/parse.h"

namespace nacre::runtime::cli {
namespace {

constexpr int kExecFailed = 255;  // as runc: tells the runtime's failure from the command's

struct ExecArguments {
  std::string id, process_file, console_socket, pid_file, cwd, user, label, apparmor;
  std::vector<std::string> environment, capabilities;
  std::vector<gid_t> additional_gids;
  unsigned preserve_fds = 0;
  bool terminal = false, detach = false, no_new_privileges = false, ignore_paused = false;
};

// "UID" or "UID:GID", digits only: a name would have to be looked up in the container's files.
Result<> set_user(const std::string& text, spec::User& user) {
  const auto colon = text.find(':');
  const auto uid = parse_int<uid_t>(std::string_view(text).substr(0, colon));
  const auto gid = colon == std::string::npos ? std::optional<gid_t>{0}
                                              : parse_int<gid_t>(std::string_view(text).substr(colon + 1));
  if (!uid || !gid || *uid == static_cast<uid_t>(-1) || *gid == static_cast<gid_t>(-1))
    return bad_input("--user \"" + text + "\" is not UID or UID:GID in digits");
  user.uid = *uid;
  user.gid = *gid;
  user.additional_gids.clear();
  return {};
}

void add_capabilities(const std::vector<std::string>& names, spec::Process& process) {
  auto& sets = process.capabilities ? *process.capabilities : process.capabilities.emplace();
  for (const auto& name : names)
    for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) set->push_back(name);
}

// The container's own process with what the options change, or the one of --process.
Result<spec::Process> process_of(const Invocation& call, const ExecArguments& arguments) {
  if (!arguments.process_file.empty()) {
    auto process =
        TRY(during(arguments.process_file, spec::parse_process(TRY(sys::read_file(arguments.process_file)))));
    if (arguments.terminal) process.terminal = true;
    return process;
  }
  if (call.rest.empty()) return bad_input("exec needs a command, or --process FILE");
  TRY(state(call.root, arguments.id));
  auto process = TRY(saved_spec(call.root + "/" + arguments.id)).process.value_or(spec::Process{});
  process.args = call.rest;
  process.terminal = arguments.terminal;
  if (!arguments.cwd.empty()) process.cwd = arguments.cwd;
  if (!arguments.user.empty()) TRY(set_user(arguments.user, process.user));
  if (!arguments.additional_gids.empty()) process.user.additional_gids = arguments.additional_gids;
  process.env.insert(process.env.end(), arguments.environment.begin(), arguments.environment.end());
  add_capabilities(arguments.capabilities, process);
  if (arguments.no_new_privileges) process.no_new_privileges = true;
  if (!arguments.label.empty()) process.selinux_label = arguments.label;
  if (!arguments.apparmor.empty()) process.apparmor_profile = arguments.apparmor;
  return process;
}

Result<int> run(const Invocation& call, const ExecArguments& arguments) {
  ExecOptions options;
  options.root = call.root;
  options.id = arguments.id;
  options.process = TRY(process_of(call, arguments));
  options.console_socket = arguments.console_socket;
  options.pid_file = arguments.pid_file;
  options.detach = arguments.detach;
  options.preserve_fds = arguments.preserve_fds;
  options.ignore_paused = arguments.ignore_paused;
  std::optional<ConsoleSocket> console;
  if (options.process.terminal && options.console_socket.empty()) {
    if (arguments.detach) return bad_input("a detached process with a terminal needs --console-socket");
    console = TRY(ConsoleSocket::in(call.root));
    options.console_socket = console->path();
    fit_to_window(options.process);
  }
  if (!arguments.detach) prepare_to_attend();
  const pid_t pid = TRY(exec(options));
  const auto terminal = console ? TRY(console->receive()) : UniqueFd{};
  return arguments.detach ? Result<int>{0}
                          : attend({.pid = pid,
                                    .master = terminal.get(),
                                    .input = terminal ? STDIN_FILENO : -1,
                                    .output = STDOUT_FILENO});
}

}  // namespace

void declare_exec(CLI::App& app, Invocation& call) {
  auto* const command =
      app.add_subcommand("exec", "run another process in a container: exec [OPTIONS] ID [COMMAND …]");
  const auto arguments = std::make_shared<ExecArguments>();
  auto& a = *arguments;
  command->add_option("ID", a.id, "the container's name")->required();
  command->add_option("-p,--process", a.process_file, "file with the process as JSON");
  command->add_option("--console-socket", a.console_socket,
                      "UNIX socket that receives the terminal's master");
  command->add_option("--pid-file", a.pid_file, "file to write the process's pid to");
  command->add_option("--cwd", a.cwd, "working directory");
  command->add_option("-e,--env", a.environment, "K=V, besides the container's own")->allow_extra_args(false);
  command->add_option("-u,--user", a.user, "UID or UID:GID");
  command->add_option("-g,--additional-gids", a.additional_gids, "additional groups")
      ->allow_extra_args(false);
  command->add_option("-c,--cap", a.capabilities, "a capability besides the container's own")
      ->allow_extra_args(false);
  command->add_option("--preserve-fds", a.preserve_fds, "pass this many descriptors from 3 on");
  command->add_option("--process-label", a.label, "SELinux label");
  command->add_option("--apparmor", a.apparmor, "AppArmor profile");
  command->add_flag("-t,--tty", a.terminal, "with a terminal");
  command->add_flag("-d,--detach", a.detach, "do not wait");
  command->add_flag("--no-new-privs", a.no_new_privileges, "no gain of rights by exec");
  command->add_flag("--ignore-paused", a.ignore_paused, "also in a paused container");
  command->callback([&call, arguments] {
    call.failure_status = kExecFailed;
    call.action = [&call, arguments] { return run(call, *arguments); };
  });
}

}  // namespace nacre::runtime::cli
