// SPDX-License-Identifier: Apache-2.0
#include "runtime/container.h"

#include <poll.h>
#include <signal.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/cgroup/manager.h"
#include "runtime/creation.h"
#include "runtime/hooks.h"
#include "runtime/process/gate.h"
#include "runtime/spec/validate.h"
#include "runtime/view.h"

namespace nacre::runtime {
namespace {

constexpr int kKillTimeoutMs = 10'000;

Result<CgroupManager> cgroup_of(const State& state) {
  return CgroupManager::open(TRY(cgroup::Hierarchies::detect()), state.cgroup_path);
}

std::unexpected<Error> not_startable(const State& state) {
  const auto now = status(state);
  if (now == "stopped") return bad_input("cannot start a container that has stopped");
  return bad_input("cannot start an already running container");
}

// The init by descriptor: it cannot become another process between the look and the signal.
Result<UniqueFd> open_init(const State& state) {
  auto pidfd = sys::pidfd_open(state.pid);
  if (!pidfd || !init_lives(state)) return bad_input("container not running");
  return pidfd;
}

Result<> kill_init(const State& state) {
  const auto pidfd = open_init(state);
  if (!pidfd) return {};
  if (auto sent = sys::pidfd_signal(pidfd->get(), SIGKILL); !sent) {
    // Dying already when it was looked at, and reaped since.
    if (sent.error().code == ESRCH) return {};
    return sent;
  }
  pollfd ended{.fd = pidfd->get(), .events = POLLIN, .revents = 0};
  const int count = TRY(sys::checked([&] { return ::poll(&ended, 1, kKillTimeoutMs); }));
  if (count == 0) return fail(ETIMEDOUT, "wait for the container's init to end");
  return {};
}

Result<> kill_everything(const State& state) {
  if (state.cgroup_path.empty()) return kill_init(state);
  auto cgroup = TRY(cgroup_of(state));
  // A frozen process does not notice SIGKILL: kill_all() thaws.
  TRY(cgroup.kill_all(SIGKILL));
  return kill_init(state);
}

Result<> remove_locked(Store& store, const State& state) {
  // What a crash left may have no specification: then there are no hooks either.
  const auto spec = saved_spec(store.directory(state.id));
  TRY(kill_everything(state));
  if (state.registered_view) forget_view(state.id);
  if (!state.cgroup_path.empty()) {
    auto cgroup = TRY(cgroup_of(state));
    TRY(cgroup.remove());
  }
  TRY(store.remove(state.id));
  if (!spec) return {};
  // By the specification a failing poststop hook changes nothing, for those after it neither.
  for (const auto& hook : spec->hooks.poststop)
    static_cast<void>(run_hooks("poststop", {hook}, to_oci_json(state, "stopped")));
  return {};
}

}  // namespace

Result<> start(const std::string& root, const std::string& id) {
  const Store store{root};
  auto state = TRY(store.load(id));
  const auto lock = TRY(store.lock(id));
  state = TRY(store.load(id));
  if (state.started || !init_lives(state)) return not_startable(state);
  const auto directory = store.directory(id);
  const auto spec = TRY(saved_spec(directory));
  const auto connection = process::knock(directory);
  if (!connection) return not_startable(state);
  state.started = true;
  TRY(store.save(state));
  TRY(process::open_gate(connection->get()));
  auto hooks = run_hooks("poststart", spec.hooks.poststart, to_oci_json(state, "running"));
  // By the specification the container ends then; the hook's error is the one to report.
  if (!hooks) static_cast<void>(kill_everything(state));
  return hooks;
}

Result<> kill(const std::string& root, const std::string& id, int signal, bool all) {
  const Store store{root};
  const auto state = TRY(store.load(id));
  if (all) {
    if (state.cgroup_path.empty()) return {};
    return TRY(cgroup_of(state)).kill_all(signal);
  }
  const auto init = TRY(open_init(state));
  const bool in_cgroup = signal == SIGKILL && !state.cgroup_path.empty();
  if (in_cgroup) {
    // Without a pid namespace of its own the others do not die with the init.
    const auto spec = saved_spec(store.directory(id));
    if (spec && !spec::has_new_namespace(*spec, "pid")) return TRY(cgroup_of(state)).kill_all(SIGKILL);
  }
  auto sent = sys::pidfd_signal(init.get(), signal);
  if (!sent && sent.error().code == ESRCH) return bad_input("container not running");
  if (!sent && sent.error().code == EINVAL) return bad_input("invalid signal " + std::to_string(signal));
  if (!sent || !in_cgroup) return sent;
  // A process in a frozen v1 cgroup dies only when it is thawed.
  auto cgroup = TRY(cgroup_of(state));
  if (cgroup.frozen().value_or(false)) TRY(cgroup.freeze(false));
  return {};
}

Result<> remove(const std::string& root, const std::string& id, bool force) {
  Store store{root};
  TRY(Store::check_id(id));
  if (force && !sys::exists(store.directory(id))) return {};
  TRY(store.load(id));
  const auto lock = store.lock(id);
  if (!lock) return force ? Result<>{} : Result<>{std::unexpected(lock.error())};
  const auto state = TRY(store.load(id));
  const auto now = status(state);
  if (!force && (now == "running" || now == "paused"))
    return bad_input("cannot delete container " + id + " that is not stopped: " + now);
  return during("delete container " + id, remove_locked(store, state));
}

Result<State> state(const std::string& root, const std::string& id) { return Store{root}.load(id); }

Result<std::vector<State>> list(const std::string& root) {
  const Store store{root};
  std::vector<State> states;
  for (const auto& id : TRY(store.list()))
    // Removed between the two calls: not there.
    if (auto one = store.load(id)) states.push_back(std::move(*one));
  return states;
}

}  // namespace nacre::runtime
