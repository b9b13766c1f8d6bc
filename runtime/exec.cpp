// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "base/sys/socket.h"
#include "runtime/agent.h"
#include "runtime/cgroup/manager.h"
#include "runtime/container.h"
#include "runtime/creation.h"
#include "runtime/kernel/linux_kernel.h"
#include "runtime/process/clone.h"
#include "runtime/process/converse.h"
#include "runtime/process/prepare.h"
#include "runtime/rlimits.h"
#include "runtime/spec/namespaces.h"
#include "runtime/spec/validate.h"
#include "runtime/view.h"

namespace nacre::runtime {
namespace {

using process::Channel;
using process::Tag;

// The namespaces of the container that are not ours: joining one's own user namespace is EINVAL.
Result<int> foreign_namespaces(pid_t init) {
  int flags = 0;
  for (const auto& [type, name, flag] : spec::kNamespaceTypes) {
    const auto file = "/ns/" + std::string(name);
    const auto theirs = sys::read_link_at(AT_FDCWD, ("/proc/" + std::to_string(init) + file).c_str());
    const auto ours = sys::read_link_at(AT_FDCWD, ("/proc/self" + file).c_str());
    if (!theirs) return fail(theirs.error().code, "look at the container's namespaces");
    if (ours && *ours != *theirs) flags |= flag;
  }
  return flags;
}

// What the new process is born with.
struct ExecJob {
  UniqueFd init;  // pidfd of the container's init
  int namespaces = 0;
  process::Command command;
};

Result<UniqueFd> open_terminal(const spec::Process& process, Channel& channel) {
  if (!process.terminal) return UniqueFd{};
  const auto root = TRY(sys::open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY));
  kernel::LinuxKernel kernel;
  auto terminal =
      TRY(during("open a terminal", kernel.open_terminal(root.get(), process.console_height,
                                                         process.console_width, process.user.uid)));
  const std::array fds{terminal.master.get()};
  TRY(channel.send(Tag::terminal, {}, fds));
  return std::move(terminal.slave);
}

Result<> set_up_and_execute(ExecJob& job, Channel& channel) {
  // From the first setns(2) on the container's processes can see us (CVE-2016-9962).
  TRY(sys::succeed([] { return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }));
  const auto proceed = TRY(process::await_proceed(channel));
  TRY(process::install_view_filter(proceed.filter, channel));
  const auto label = TRY(during("set the label", process::open_label(job.command.process)));
  // The pid namespace is the one we were born in.
  if (const int rest = job.namespaces & ~CLONE_NEWPID; rest != 0)
    TRY(during("join the container's namespaces",
               sys::succeed([&] { return ::setns(job.init.get(), rest); })));
  if ((job.namespaces & CLONE_NEWUSER) != 0) TRY(process::become_namespace_root());
  job.init.reset();
  auto terminal = TRY(open_terminal(job.command.process, channel));
  const auto file = TRY(process::become_user(job.command, std::move(terminal), channel, {label.get()}));
  TRY(channel.send(Tag::ready));
  TRY(channel.expect(Tag::resume));
  return std::unexpected(process::execute(job.command, file, label));
}

[[noreturn]] void run(ExecJob& job, UniqueFd socket) {
  Channel channel{std::move(socket)};
  const auto done = set_up_and_execute(job, channel);
  channel.send_error(done.error());
  ::_exit(1);
}

// One process being started in a running container.
class Execution {
 public:
  explicit Execution(const ExecOptions& options) : options_(options), store_(options.root) {}
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;
  ~Execution() {
    if (pid_ <= 0 || done_) return;
    ::kill(pid_, SIGKILL);  // our child, not waited for: the number is still its own
    static_cast<void>(sys::wait_for(pid_));
  }

  Result<pid_t> run();

 private:
  Result<> check();
  Result<> prepare();
  Result<> start_process();
  Result<> talk();

  const ExecOptions& options_;
  Store store_;
  State state_;
  spec::Spec spec_;
  ExecJob job_;
  UniqueFd console_;
  std::optional<Channel> channel_;
  std::optional<View> view_;
  pid_t pid_ = -1;
  bool done_ = false;
};

Result<> Execution::check() {
  state_ = TRY(store_.load(options_.id));
  const auto now = status(state_);
  if (now == "stopped" || now == "creating")
    return bad_input("cannot exec in a " + now + " container: container not running");
  if (now == "paused" && !options_.ignore_paused)
    return bad_input("cannot exec in a paused container (resume it, or use --ignore-paused)");
  TRY(spec::validate(options_.process));
  if (options_.process.terminal && options_.console_socket.empty())
    return bad_input("process.terminal is true: give a --console-socket");
  if (!options_.process.terminal && !options_.console_socket.empty())
    return bad_input("a console socket needs process.terminal to be true");
  return process::check_preserved(options_.preserve_fds);
}

Result<> Execution::prepare() {
  spec_ = TRY(saved_spec(store_.directory(options_.id)));
  job_.command = TRY(process::prepare(options_.process, spec_.linux_.seccomp));
  job_.command.preserve_fds = options_.preserve_fds;
  job_.command.keyring = "_ses." + options_.id;
  auto init = sys::pidfd_open(state_.pid);
  if (!init || !init_lives(state_)) return bad_input("container not running");
  job_.init = std::move(*init);
  job_.namespaces = TRY(foreign_namespaces(state_.pid));
  // They were looked up by a number that another process may have got in between.
  if (!init_lives(state_)) return bad_input("container not running");
  if (!options_.console_socket.empty())
    console_ = TRY(during("console socket", sys::connect_stream(options_.console_socket)));
  if (state_.registered_view) {
    view_ = TRY(View::open(spec_, false));
    view_->add_again(registration_of(spec_, state_));
  }
  return {};
}

Result<> Execution::start_process() {
  auto [ours, theirs] = TRY(sys::seqpacket_pair());
  channel_.emplace(std::move(ours));
  process::CloneOptions options;
  if ((job_.namespaces & CLONE_NEWPID) != 0) options.pid_namespace = job_.init.get();
  pid_ = TRY(process::clone_process(options, [&] {
    channel_->close();
    console_.reset();
    runtime::run(job_, std::move(theirs));
  }));
  if (!state_.cgroup_path.empty()) {
    auto cgroup = TRY(CgroupManager::open(TRY(cgroup::Hierarchies::detect()), state_.cgroup_path));
    TRY(cgroup.join(pid_, state_.pid));
  }
  if (const auto score = options_.process.oom_score_adj) TRY(process::set_oom_score(pid_, *score));
  if ((job_.namespaces & CLONE_NEWUSER) != 0) rlimits::raise_hard(pid_, options_.process.rlimits);
  return {};
}

Result<> Execution::talk() {
  const auto filter = view_ ? view_->filter() : process::ViewFilter::none;
  TRY(channel_->send(Tag::proceed, process::proceed_text(filter, "", {})));
  TRY(process::converse(
      *channel_, {.listener = [&](int listener) { return view_->add_listener(options_.id, listener); },
                  .agent =
                      [&](int listener) {
                        return send_to_agent(*spec_.linux_.seccomp, listener, pid_,
                                             to_oci_json(state_, "running"));
                      },
                  .terminal =
                      [&](int master) {
                        const std::array fds{master};
                        return during("console socket", sys::send_message(console_.get(), "/dev/ptmx", fds));
                      },
                  .mounted = [] { return Result<>{}; }}));
  if (!options_.pid_file.empty())
    TRY(during("pid file", sys::replace_file(options_.pid_file, std::to_string(pid_))));
  TRY(channel_->send(Tag::resume));
  return process::await_exec(*channel_);
}

Result<pid_t> Execution::run() {
  TRY(check());
  TRY(prepare());
  TRY(start_process());
  auto talked = talk();
  if (!talked) {
    // conmon takes a pid file for success.
    if (!options_.pid_file.empty()) ::unlink(options_.pid_file.c_str());
    if (talked.error().code == EPIPE)
      return bad_input("the process ended while it was set up: is the container running?");
    return std::unexpected(talked.error());
  }
  done_ = true;
  return pid_;
}

}  // namespace

Result<pid_t> exec(const ExecOptions& options) { return Execution{options}.run(); }

}  // namespace nacre::runtime
