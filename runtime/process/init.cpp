// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/init.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/sys/checked.h"
#include "runtime/hooks.h"
#include "runtime/kernel/linux_kernel.h"
#include "runtime/plan/perform.h"
#include "runtime/process/gate.h"
#include "runtime/process/lookup.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::process {
namespace {

// The host is still in sight: the parent's hooks first, then those that belong in here.
Result<> create_hooks(const InitJob& job, Channel& channel, const std::string& state) {
  TRY(channel.send(Tag::mounted));
  TRY(channel.expect(Tag::resume));
  return run_hooks("createContainer", job.spec->hooks.create_container, state);
}

Result<> perform_plan(InitJob& job, Channel& channel, Proceed& proceed, UniqueFd& terminal) {
  plan::Materials materials;
  materials.root = job.root.get();
  materials.joins = job.joins;
  materials.sources = job.sources;
  for (std::size_t i = 0; i < proceed.targets.size(); ++i)
    materials.view.push_back({proceed.targets[i], std::move(proceed.mounts[i])});
  materials.create_hooks = [&] { return create_hooks(job, channel, proceed.state); };
  materials.give_terminal = [&](UniqueFd master) {
    const std::array fds{master.get()};
    return channel.send(Tag::terminal, {}, fds);
  };
  ::umask(0);
  kernel::LinuxKernel kernel;
  TRY(plan::perform(kernel, job.plan, materials));
  terminal = std::move(materials.terminal);
  // Nothing of the host stays open.
  job.joins.clear();
  job.sources.clear();
  job.root.reset();
  return {};
}

Result<> become_root(const InitJob& job) {
  // Nobody in a namespace that we share may read our descriptors or trace us (CVE-2016-9962).
  if (!spec::has_namespace(*job.spec, "user"))
    return sys::succeed([] { return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); });
  TRY(become_namespace_root());
  // A process that is not dumpable may not write its own /proc files inside a user namespace.
  return sys::succeed([] { return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); });
}

struct Prepared {
  std::string file;
  std::string state;
  UniqueFd label;
};

Result<Prepared> set_up(InitJob& job, Channel& channel) {
  Prepared prepared;
  auto proceed = TRY(await_proceed(channel));
  TRY(become_root(job));
  TRY(install_view_filter(proceed.filter, channel));
  prepared.label = TRY(during("set the label", open_label(job.command.process)));
  UniqueFd terminal;
  TRY(perform_plan(job, channel, proceed, terminal));
  prepared.file =
      TRY(become_user(job.command, std::move(terminal), channel, {job.gate.get(), prepared.label.get()}));
  prepared.state = proceed.state;
  TRY(channel.send(Tag::ready));
  TRY(channel.expect(Tag::resume));
  channel.close();
  return prepared;
}

}  // namespace

void run_init(InitJob& job, UniqueFd socket) {
  Channel channel{std::move(socket)};
  const auto prepared = set_up(job, channel);
  if (!prepared) {
    channel.send_error(prepared.error());
    ::_exit(1);
  }
  const auto connection = wait_at_gate(job.gate.get());
  if (!connection) ::_exit(1);
  job.gate.reset();
  const auto hooks = run_hooks("startContainer", job.spec->hooks.start_container, prepared->state);
  const auto failure = hooks ? execute(job.command, prepared->file, prepared->label) : hooks.error();
  report_failure(connection->get(), failure);
  ::_exit(failure.code == kUnusableCommand ? 126 : 127);
}

}  // namespace nacre::runtime::process
