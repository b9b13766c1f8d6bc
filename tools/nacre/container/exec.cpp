// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/exec.h"

#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/attend.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "tools/nacre/container/dispose.h"
#include "tools/nacre/container/record.h"
#include "tools/nacre/container/spec.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

// The container's record with what the request says instead of it.
Record adapted(Record record, const ExecRequest& request) {
  record.command = request.command;
  if (!request.workdir.empty()) record.workdir = request.workdir;
  if (!request.user.empty()) record.user = request.user;
  record.environment.insert(record.environment.end(), request.environment.begin(), request.environment.end());
  return record;
}

}  // namespace

Result<int> exec_in(const ExecRequest& request) {
  const auto record = adapted(TRY(find_record(request.container)), request);
  if (!runs(record))
    return bad_input("container " + record.name + ": not running; start another with: nacre run");
  runtime::prepare_to_attend();
  if (!request.interactive) {
    const auto null = TRY(sys::open_at(AT_FDCWD, "/dev/null", O_RDONLY));
    TRY(sys::succeed([&] { return ::dup2(null.get(), STDIN_FILENO); }));
  }
  const auto state = TRY(runtime::state(runtime_directory(), record.id));
  const auto root_path = "/proc/" + std::to_string(state.pid) + "/root";
  const auto root = TRY(
      during("container " + record.name, sys::open_at(AT_FDCWD, root_path.c_str(), O_PATH | O_DIRECTORY)));

  std::optional<runtime::ConsoleSocket> console;
  if (request.terminal) console = TRY(runtime::ConsoleSocket::in(record.directory()));
  runtime::ExecOptions options;
  options.root = runtime_directory();
  options.id = record.id;
  options.process = process_for(record, TRY(resolve_user(root.get(), record.user)), request.terminal);
  runtime::fit_to_window(options.process);
  options.console_socket = console ? console->path() : "";
  const pid_t pid = TRY(runtime::exec(options));
  UniqueFd terminal;
  if (console) terminal = TRY(console->receive());
  return runtime::attend({.pid = pid,
                          .master = terminal.get(),
                          .input = request.interactive && terminal ? STDIN_FILENO : -1,
                          .output = STDOUT_FILENO});
}

}  // namespace nacre::tool
