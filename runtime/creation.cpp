// SPDX-License-Identifier: Apache-2.0
#include "runtime/creation.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/sys/file.h"
#include "base/sys/process.h"
#include "base/sys/socket.h"
#include "runtime/agent.h"
#include "runtime/hooks.h"
#include "runtime/process/clone.h"
#include "runtime/process/converse.h"
#include "runtime/process/gate.h"
#include "runtime/process/prepare.h"
#include "runtime/rlimits.h"
#include "runtime/spec/parse.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime {
namespace {

Result<> check(const CreateOptions& options) {
  TRY(Store::check_id(options.id));
  TRY(spec::validate(options.spec));
  const bool terminal = options.spec.process->terminal;
  if (terminal && options.console_socket.empty())
    return bad_input("process.terminal is true: give a --console-socket");
  if (!terminal && !options.console_socket.empty())
    return bad_input("a console socket needs process.terminal to be true");
  return process::check_preserved(options.preserve_fds);
}

int joined_namespace(const process::InitJob& job, std::string_view type) {
  const auto found = std::ranges::find(job.plan.joins, type, &plan::JoinNamespace::type);
  return found == job.plan.joins.end()
             ? -1
             : job.joins[static_cast<std::size_t>(found - job.plan.joins.begin())].get();
}

// Namespaces of the host can be joined only by those who are not in a user namespace of their own
// yet, and those of another user namespace only from inside it: what can be joined early is.
std::function<void()> join_first(process::InitJob& job) {
  if (!spec::has_namespace(*job.spec, "user")) return {};
  return [&job] {
    for (std::size_t i = 0; i < job.joins.size(); ++i) {
      const auto& type = job.plan.joins[i].type;
      if (type == "pid" || type == "user" || type == "mount") continue;
      if (::setns(job.joins[i].get(), 0) == 0) job.joins[i].reset();
    }
  };
}

}  // namespace

Result<std::string> cgroup_path_of(const spec::Spec& spec, const std::string& id) {
  const auto& path = spec.linux_.cgroups_path;
  if (path.empty()) return cgroup_parent() + "/" + id;
  if (path.find('/') == std::string::npos && std::ranges::count(path, ':') == 2)
    return bad_input("linux.cgroupsPath \"" + path +
                     "\" is for the systemd driver; use the engine's cgroupfs cgroup manager");
  if (("/" + path + "/").find("/../") != std::string::npos)
    return bad_input("linux.cgroupsPath \"" + path + "\" must not contain ..");
  return path.starts_with('/') ? path : "/" + path;
}

Result<> save_spec(const std::string& state_directory, const spec::Spec& spec) {
  return sys::create_file(state_directory + "/config.json", spec::to_json(spec), 0600);
}

Result<spec::Spec> saved_spec(const std::string& state_directory) {
  const auto path = state_directory + "/config.json";
  return during(path, spec::parse(TRY(sys::read_file(path))));
}

Result<> Creation::claim() {
  const auto directory = TRY(store_.create(options_.id));
  claimed_ = true;
  lock_ = TRY(store_.lock(options_.id));
  state_.id = options_.id;
  state_.oci_version = options_.spec.oci_version;
  state_.bundle = options_.bundle;
  state_.rootfs = plan::root_path_of(options_.spec, options_.bundle);
  state_.created = rfc3339_now();
  state_.annotations = options_.spec.annotations;
  // exec has to give its processes the same view.
  spec_ = options_.spec;
  if (options_.view_affinity) spec_.annotations[kAffinityAnnotation] = "on";
  if (!options_.view_cgroup.empty()) spec_.annotations[kViewCgroupAnnotation] = options_.view_cgroup;
  return save_spec(directory, spec_);
}

Result<> Creation::make_cgroup() {
  hierarchies_ = TRY(cgroup::Hierarchies::detect());
  // Engines leave the list out and mean the default devices, as with runc.
  if (auto& rules = spec_.linux_.resources.devices; rules.empty()) rules.emplace_back();
  auto path = TRY(cgroup_path_of(spec_, options_.id));
  // Written down neither too early nor too late: whoever deletes what a crash left kills what
  // is in the cgroup, and removes it.
  cgroup_ = TRY(CgroupManager::create(hierarchies_, path, spec_.linux_.resources, [&] {
    state_.cgroup_path = path;
    return store_.save(state_);
  }));
  return {};
}

// Everything that can fail without a process.
Result<> Creation::prepare() {
  const auto& spec = spec_;
  const plan::HostFacts facts{.bundle = options_.bundle,
                              .root_given = options_.rootfs_mount >= 0,
                              .pivot = !options_.no_pivot,
                              .hierarchies = hierarchies_.all(),
                              .cgroup_path = state_.cgroup_path};
  job_.spec = &spec;
  job_.plan = TRY(plan::make_plan(spec, facts));
  job_.command = TRY(process::prepare(*spec.process, spec.linux_.seccomp));
  job_.command.preserve_fds = options_.preserve_fds;
  if (!options_.no_new_keyring) job_.command.keyring = "_ses." + options_.id;
  job_.joins = TRY(process::open_joins(job_.plan.joins));
  if (spec::has_new_namespace(spec, "mount"))
    job_.root = TRY(process::open_root(state_.rootfs, options_.rootfs_mount));
  job_.sources = TRY(process::open_sources(job_.plan.sources));
  job_.gate = TRY(process::make_gate(store_.directory(options_.id)));
  if (!options_.console_socket.empty())
    console_ = TRY(during("console socket", sys::connect_stream(options_.console_socket)));
  view_ = TRY(View::open(spec, options_.require_view));
  return {};
}

Result<> Creation::start_init() {
  auto [ours, theirs] = TRY(sys::seqpacket_pair());
  channel_.emplace(std::move(ours));
  const process::CloneOptions options{.flags = job_.plan.clone_flags,
                                      .pid_namespace = joined_namespace(job_, "pid"),
                                      .user_namespace = joined_namespace(job_, "user"),
                                      .before = join_first(job_)};
  state_.pid = TRY(process::clone_process(options, [&] {
    channel_->close();
    console_.reset();
    lock_.reset();
    process::run_init(job_, std::move(theirs));
  }));
  state_.start_ticks = TRY(sys::process_stat(state_.pid)).start_ticks;
  return store_.save(state_);
}

Result<> Creation::prepare_from_outside() {
  TRY(cgroup_->join(state_.pid));
  const auto& linux = spec_.linux_;
  if (spec::has_new_namespace(spec_, "user"))
    TRY(process::write_id_maps(state_.pid, linux.uid_mappings, linux.gid_mappings));
  if (const auto score = spec_.process->oom_score_adj) TRY(process::set_oom_score(state_.pid, *score));
  if (spec::has_namespace(spec_, "user")) rlimits::raise_hard(state_.pid, spec_.process->rlimits);
  return {};
}

Result<> Creation::register_view() {
  if (!view_->available()) return {};
  // Before the daemon knows it: who finds this state after a crash has to make it forget.
  state_.registered_view = true;
  TRY(store_.save(state_));
  TRY(view_->add(registration_of(spec_, state_)));
  state_.registered_view = view_->available();
  return {};
}

Result<> Creation::talk() {
  std::vector<std::string> targets;
  std::vector<int> mounts;
  for (const auto& one : view_->mounts()) {
    targets.push_back(one.target);
    mounts.push_back(one.mount.get());
  }
  TRY(channel_->send(process::Tag::proceed, process::proceed_text(view_->filter(), oci_state(), targets),
                     mounts));
  const auto& spec = spec_;
  return process::converse(
      *channel_, {.listener = [&](int listener) { return view_->add_listener(options_.id, listener); },
                  .agent =
                      [&](int listener) {
                        return send_to_agent(*spec.linux_.seccomp, listener, state_.pid, oci_state());
                      },
                  .terminal =
                      [&](int master) {
                        const std::array fds{master};
                        return during("console socket", sys::send_message(console_.get(), "/dev/ptmx", fds));
                      },
                  .mounted = [&]() -> Result<> {
                    TRY(run_hooks("prestart", spec.hooks.prestart, oci_state()));
                    return run_hooks("createRuntime", spec.hooks.create_runtime, oci_state());
                  }});
}

Result<> Creation::finish() {
  TRY(store_.save(state_));
  if (!options_.pid_file.empty())
    TRY(during("pid file", sys::replace_file(options_.pid_file, std::to_string(state_.pid))));
  return channel_->send(process::Tag::resume);
}

Error Creation::explain(Error error) const {
  if (error.code != EPIPE) return error;
  if (cgroup_ && cgroup_->oom_killed().value_or(false))
    return {kBadInput, "the container ran out of memory while it was set up: raise its memory limit"};
  return {kBadInput, "the container's first process ended while it was set up"};
}

Result<pid_t> Creation::run() {
  TRY(check(options_));
  TRY(claim());
  TRY(make_cgroup());
  TRY(prepare());
  TRY(start_init());
  TRY(prepare_from_outside());
  TRY(register_view());
  if (auto talked = talk(); !talked) return std::unexpected(explain(talked.error()));
  TRY(finish());
  done_ = true;
  return state_.pid;
}

Creation::~Creation() {
  if (done_ || !claimed_) return;
  // The error that brought us here is the one to report; these do what they can.
  if (state_.pid > 0) {
    ::kill(state_.pid, SIGKILL);  // our child, not waited for: the number is still its own
    static_cast<void>(sys::wait_for(state_.pid));
  }
  if (state_.registered_view) forget_view(options_.id);
  if (cgroup_) {
    static_cast<void>(cgroup_->kill_all(SIGKILL));
    static_cast<void>(cgroup_->remove());
  }
  static_cast<void>(store_.remove(options_.id));
}

Result<pid_t> create(const CreateOptions& options) { return Creation{options}.run(); }

}  // namespace nacre::runtime
