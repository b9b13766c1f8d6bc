// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/container.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

#include "base/cgroup/hierarchy.h"
#include "base/clock.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/attend.h"
#include "runtime/cgroup/manager.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "tools/nacre/container/dispose.h"
#include "tools/nacre/container/spec.h"
#include "tools/nacre/container/view_daemon.h"
#include "tools/nacre/image/resolve.h"
#include "tools/nacre/paths.h"

namespace nacre::tool {
namespace {

// How long the file system daemon may take to finish after its last user is gone.
constexpr int kServerGrace = 5000;  // milliseconds

Result<Record> record_for(const RunOptions& options) {
  Record record;
  record.name = options.name;
  record.image = options.image;
  record.layers = TRY(resolve_image(options.image));
  record.command = options.command.empty() ? std::vector<std::string>{"/bin/sh"} : options.command;
  record.environment = options.environment;
  record.workdir = options.workdir;
  record.user = options.user;
  record.created = std::time(nullptr);
  record.remove = options.remove;
  record.detached = options.detach;
  record.affinity = options.cpus.has_value();
  return record;
}

Result<> redirect_output(const std::string& log) {
  const auto fd =
      TRY(during("open " + log, sys::open_at(AT_FDCWD, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)));
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO})
    TRY(sys::succeed([&] { return ::dup2(fd.get(), stream); }));
  return {};
}

}  // namespace

Result<Container> Container::create(const RunOptions& options) {
  TRY(check(options));
  auto record = TRY(record_for(options));
  TRY(ensure_view_daemon());
  Container container{TRY(claim(std::move(record)))};
  TRY(container.set_up(options));
  return container;
}

// A moved-from optional still holds a value; ours must not, or it would be disposed of.
Container::Container(Container&& other) noexcept
    : claim_(std::exchange(other.claim_, std::nullopt)),
      root_(std::exchange(other.root_, std::nullopt)),
      init_pid_(std::exchange(other.init_pid_, -1)),
      terminal_(std::move(other.terminal_)) {}

Result<> Container::set_up(const RunOptions& options) {
  const auto& record = claim_->record;
  for (const auto& folder : {record.upper(), record.work()})
    TRY(during("create " + folder, sys::succeed([&] { return ::mkdir(folder.c_str(), 0755); })));
  TRY(write_etc_files(record, options));
  const auto hierarchies = TRY(cgroup::Hierarchies::detect());
  TRY(runtime::CgroupManager::create(hierarchies, record.cgroup(), outer_resources(options)));
  root_ = TRY(RootMount::create(record));

  // A detached container has no one to write to but its log.
  if (options.detach) TRY(redirect_output(record.log()));
  std::optional<runtime::ConsoleSocket> console;
  if (options.terminal) console = TRY(runtime::ConsoleSocket::in(record.directory()));
  const auto user = TRY(resolve_user(root_->mount(), record.user));
  runtime::CreateOptions create;
  create.root = runtime_directory();
  create.id = record.id;
  create.bundle = record.directory();
  create.spec = spec_for(record, options, user, SystemClock{});
  runtime::fit_to_window(*create.spec.process);
  create.console_socket = console ? console->path() : "";
  create.rootfs_mount = root_->mount();
  create.view_cgroup = record.cgroup();
  create.view_affinity = record.affinity;
  create.require_view = true;
  init_pid_ = TRY(runtime::create(create));
  if (console) terminal_ = TRY(console->receive());
  return {};
}

Container::~Container() {
  if (!claim_) return;
  if (init_pid_ > 0) {
    ::kill(init_pid_, SIGKILL);  // our child, not waited for: the number is still its own
    static_cast<void>(sys::wait_for(init_pid_));
  }
  if (root_) root_->finish(kServerGrace);
  static_cast<void>(dispose(claim_->record));
}

Result<> Container::start() { return runtime::start(runtime_directory(), claim_->record.id); }

Result<int> Container::supervise(int input, int output) {
  const int code = TRY(runtime::attend({.pid = init_pid_,
                                        .master = terminal_.get(),
                                        .input = terminal_ ? input : -1,
                                        .output = output,
                                        .insist = true}));
  init_pid_ = -1;
  return code;
}

Result<> Container::finish(int code) {
  const auto record = claim_->record;
  // Processes that outlived the init (a shared pid namespace has no such end) keep the root
  // busy, so the runtime's part goes first.
  TRY(runtime::remove(runtime_directory(), record.id, true));
  root_->finish(kServerGrace);
  TRY(record.remove ? dispose(record) : release(record));
  if (!record.remove) TRY(save_exit_code(record, code));
  claim_.reset();
  return {};
}

}  // namespace nacre::tool
