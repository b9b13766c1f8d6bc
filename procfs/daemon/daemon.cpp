// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/daemon.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "base/cgroup/hierarchy.h"
#include "base/fuse/session.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/scope_exit.h"
#include "base/sys/capabilities.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/helpers.h"
#include "base/sys/mount_cloner.h"
#include "base/sys/process.h"
#include "base/sys/socket.h"
#include "procfs/control/server.h"
#include "procfs/daemon/confinement.h"
#include "procfs/daemon/fd_store.h"
#include "procfs/daemon/keeper.h"
#include "procfs/daemon/mount_space.h"
#include "procfs/daemon/shared_mounts.h"
#include "procfs/daemon/single_instance.h"
#include "procfs/fuse/operations.h"
#include "procfs/load_tracker.h"
#include "procfs/state/state_file.h"
#include "procfs/sysinfo/memory_writer.h"
#include "procfs/sysinfo/pending_calls.h"
#include "procfs/view_mounts.h"

namespace nacre::procfs {
namespace {

// CAP_SYS_ADMIN and CAP_SYS_CHROOT for mounts in other namespaces, CAP_SYS_PTRACE for the memory of those
// whose system calls are answered, CAP_SYS_RESOURCE for pressure triggers and descriptors.
constexpr std::array kCapabilities{CAP_SYS_ADMIN, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_RESOURCE};

// Room for them from the start; a container costs one.
constexpr int kDescriptors = 16384;
constexpr unsigned kFuseThreads = 4;
constexpr std::chrono::microseconds kPoll{50};
// The session's own 4 ms are for disks, which this never waits for; looking that often made half of the slow
// readings.
constexpr std::chrono::milliseconds kPatience{20};
// Longer than a daemon of `nacre run` stays when it is idle.
constexpr std::chrono::seconds kUntilIdle{75};

// The directory's own path, so that it stays the same under another root.
Result<std::string> prepare_directory(const std::string& wanted) {
  TRY(sys::make_directories(wanted));
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(wanted.c_str(), nullptr), std::free);
  if (!real) return fail(errno, wanted);
  return std::string(real.get());
}

void remove_files(const std::string& directory) {
  for (const auto* const name : {"/control", "/seccomp", "/pid"}) ::unlink((directory + name).c_str());
}

Result<cgroup::Hierarchies> find_cgroups() {
  auto hierarchies = TRY(cgroup::Hierarchies::detect());
  if (hierarchies.mode() == cgroup::Mode::none)
    return bad_input("no cgroup file system is mounted; mount one on /sys/fs/cgroup");
  return hierarchies;
}

// What a daemon holds that its successor goes on with.
struct Estate {
  MountSpace space;
  UniqueFd socket;   // the control socket
  UniqueFd seccomp;  // where OCI runtimes hand over seccomp listeners
  StateFile state;
  UniqueFd calls;  // system calls that were taken and not answered
  std::map<std::string, UniqueFd> listeners;
  bool inherited = false;
};

constexpr const char* kFuse = "fuse";
constexpr const char* kRoot = "root";
constexpr const char* kSpace = "space";
constexpr const char* kSocket = "control";
constexpr const char* kSeccomp = "seccomp";
constexpr const char* kState = "state";
constexpr const char* kCalls = "calls";
// In the state: the kernel's first request, and when the first daemon started.
constexpr const char* kNegotiation = "negotiation";
constexpr const char* kBorn = "born";
constexpr const char* kShared = "shared";  // where SharedMounts are attached

// A predecessor that was killed on its way out may have taken the socket's name away already.
Result<> put_back(FdStore& store, const char* name, UniqueFd& socket, const std::string& path,
                  Result<UniqueFd> (*listen)(const std::string& path)) {
  if (sys::exists(path)) return {};
  socket = TRY(listen(path));
  store.drop(name);
  return store.keep(name, socket.get());
}

Result<std::optional<Estate>> inherit(FdStore& store, const std::string& directory) {
  auto listeners = store.take_all(kListenerPrefix);
  auto left = store.take_all("");
  const auto take = [&](const char* name) {
    const auto found = left.find(name);
    return found == left.end() ? UniqueFd() : std::move(found->second);
  };
  auto fuse = take(kFuse), root = take(kRoot), space = take(kSpace), socket = take(kSocket),
       seccomp = take(kSeccomp), memory = take(kState), calls = take(kCalls);
  const bool whole = fuse && root && space && socket && seccomp && memory && PendingCalls::map(calls.get());
  auto state = whole ? StateFile::open(std::move(memory)) : Result<StateFile>(fail(ENOENT));
  if (!state || state->value(kNegotiation).empty() || state->value(Tree::kKept).empty()) {
    // Of no use to anybody; those who wait for the connection hear that it is gone.
    for (const auto* const kept : {&left, &listeners})
      for (const auto& [name, descriptor] : *kept) store.drop(name);
    return std::nullopt;
  }
  TRY(put_back(store, kSocket, socket, directory + "/control", sys::listen_seqpacket));
  TRY(put_back(store, kSeccomp, seccomp, directory + "/seccomp", sys::listen_stream));
  return Estate{.space = TRY(enter_mount_space(std::move(fuse), std::move(root), std::move(space))),
                .socket = std::move(socket),
                .seccomp = std::move(seccomp),
                .state = std::move(*state),
                .calls = std::move(calls),
                .listeners = std::move(listeners),
                .inherited = true};
}

Result<Estate> found(const std::string& directory, const cgroup::Hierarchies& hierarchies) {
  const auto mountpoint = directory + "/mnt";
  TRY(sys::make_directories(mountpoint));
  return Estate{.space = TRY(enter_mount_space(directory, mountpoint, hierarchies.mountpoints())),
                .socket = TRY(sys::listen_seqpacket(directory + "/control")),
                .seccomp = TRY(sys::listen_stream(directory + "/seccomp")),
                .state = TRY(StateFile::create()),
                .calls = TRY(PendingCalls::create()),
                .listeners = {},
                .inherited = false};
}

// Only when the connection can be taken over: a successor finds all of it or nothing.
Result<> bequeath(FdStore& store, const Estate& estate, int fuse) {
  TRY(store.keep(kRoot, estate.space.root.get()));
  TRY(store.keep(kSpace, estate.space.space.get()));
  TRY(store.keep(kSocket, estate.socket.get()));
  TRY(store.keep(kSeccomp, estate.seccomp.get()));
  TRY(store.keep(kState, estate.state.descriptor()));
  TRY(store.keep(kCalls, estate.calls.get()));
  return store.keep(kFuse, fuse);
}

Result<> connect(fuse::Session& session, Estate& estate) {
  if (!estate.inherited) {
    TRY(session.mount("/dev/fd/" + std::to_string(estate.space.fuse.get())));
    static_cast<void>(estate.space.fuse.release());  // the session's from here on
    return estate.state.put(kNegotiation, TRY(session.negotiate()));
  }
  if (!TRY(session.resume(std::move(estate.space.fuse), estate.state.value(kNegotiation))))
    log::warning("this kernel does not repeat requests (Linux 6.9): readers that were waiting go on to wait");
  return {};
}

// What the kernel has been told of the files stays true.
std::int64_t born(StateFile& state, const Clock& clock) {
  if (const auto kept = parse_int<std::int64_t>(state.value(kBorn))) return *kept;
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.realtime()).count();
  static_cast<void>(state.put(kBorn, std::to_string(now)));
  return now;
}

// Attached is attached, for a successor too.
Result<SharedMounts> share(Estate& estate, sys::MountCloner& cloner, const std::string& wanted) {
  if (wanted.empty()) return SharedMounts();
  if (estate.state.value(kShared) == wanted)
    return SharedMounts::adopt(std::move(estate.space.outside), wanted);
  auto mounts = TRY(SharedMounts::attach(std::move(estate.space.outside), cloner, wanted));
  TRY(estate.state.put(kShared, wanted));
  return mounts;
}

// Without helpers a daemon is of no use. Whoever waits for it hears from the next one, which has others.
[[noreturn]] void leave_to_successor(const Error& error) {
  log::error(error.message());
  ::_exit(1);
}

// Everything that runs, in the order it starts; it ends in the opposite order.
Result<int> serve(const Options& options, const std::string& directory,
                  const cgroup::Hierarchies& hierarchies, FdStore& store, bool systemd, Estate estate,
                  const std::function<void()>& on_ready) {
  // Nobody needs the host's mounts otherwise.
  if (options.shared.empty()) estate.space.outside.reset();
  auto helpers = TRY(sys::Helpers::start({&sys::MountCloner::kKind, &MemoryWriter::kKind},
                                         estate.space.root.get(), leave_to_successor));
  sys::MountCloner cloner(helpers);
  TRY(confine(!options.shared.empty()));
  SystemClock clock;
  HotFiles files(hierarchies.mountpoints());
  LoadTracker tracker(files);
  Host host(files, clock);
  Registry registry({files, host, clock, &estate.state, &tracker}, hierarchies);
  registry.restore();
  Tree tree(registry, &estate.state);
  const auto triggers = TRY(during("wait for pressure", PressureTriggers::start()));
  OpenFiles open_files(tree, clock, triggers.get(), &estate.state);
  FileSystem file_system{tree, open_files, born(estate.state, clock)};
  auto supervisor = TRY(during(
      "start the system call supervisor",
      Supervisor::start(registry, helpers,
                        {.keep = [&](const auto& name, int listener) { return store.keep(name, listener); },
                         .drop = [&](const auto& name) { store.drop(name); },
                         .calls = estate.calls.get(),
                         .listeners = std::move(estate.listeners)})));
  ViewMounts mounts(cloner, registry);
  Service service(registry, *supervisor, mounts);

  auto session = TRY(fuse::Session::create("nacre-procfs", operations(), &file_system, {}));
  TRY(connect(session, estate));
  if (store.present()) session.leave_mounted();
  for (const auto poller : open_files.left_waiting()) session.wake_poller(poller);
  if (!estate.inherited) TRY(bequeath(store, estate, fuse_session_fd(session.get())));
  bool replace = false;
  auto server = TRY(Server::create(
      service, std::move(estate.socket), std::move(estate.seccomp),
      {.path = directory + "/control",
       .idle_exit = options.idle_exit,
       .on_idle = [&] { session.stop(); },
       .alive_every = std::chrono::duration_cast<std::chrono::milliseconds>(store.watchdog() / 2),
       .on_alive =
           [&] {
             if (session.answers()) store.alive();
           }}));
  // What is mounted elsewhere is looked up first, so others have to serve by then.
  Result<SharedMounts> shared;
  std::thread control([&] {
    static_cast<void>(cloner.prepare());
    shared = share(estate, cloner, options.shared);
    if (shared) {
      store.ready();
      on_ready();
      server.run();
    } else {
      session.stop();
    }
  });
  // While others still serve: it may wait for an answer of theirs.
  const auto end_control = [&] {
    server.stop();
    if (control.joinable()) control.join();
  };
  auto served = session.serve({.threads = kFuseThreads,
                               .poll = kPoll,
                               .patience = kPatience,
                               .signals = {},
                               .on_signal =
                                   [&](int) {
                                     replace = store.present();
                                     end_control();
                                     session.stop();
                                   },
                               .before_end = end_control});
  triggers->stop();  // before the session that it wakes callers of
  end_control();
  // Whoever wants the end of all may have said so meanwhile.
  replace = replace && !fuse::end_is_wanted();
  if (!shared) served = std::unexpected(std::move(shared.error()));
  TRY(served);
  // systemd may be about to start the next one; if it is not, what it keeps goes.
  const bool goes_on = replace || (systemd && !server.left_idle());
  if (goes_on) {
    shared->leave();
  } else {
    remove_files(directory);
  }
  return replace ? kReplaceMe : 0;
}

Result<std::string> prepared_directory(const Options& options) {
  return during("prepare " + options.directory, prepare_directory(options.directory));
}

}  // namespace

Result<int> run_daemon(const Options& options, pid_t keeper, const std::function<void()>& on_ready) {
  const auto directory = TRY(prepared_directory(options));
  auto store = TRY(FdStore::connect());
  auto lock = store.take("lock");
  if (!lock) {
    lock = TRY(become_the_only_one(directory, kUntilIdle));
    TRY(store.keep("lock", lock.get()));
  }
  fuse::block_signals();  // not before: one ends it while it waits for another daemon
  TRY(sys::keep_capabilities(kCapabilities));
  sys::reserve_descriptors(kDescriptors);
  TRY(sys::succeed([] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }));
  const auto hierarchies = TRY(find_cgroups());
  TRY(sys::replace_file(directory + "/pid", std::to_string(keeper != 0 ? keeper : ::getpid()) + "\n"));
  ScopeExit remove_pid{[&] { ::unlink((directory + "/pid").c_str()); }};
  auto inherited = TRY(inherit(store, directory));
  auto estate = inherited ? std::move(*inherited) : TRY(found(directory, hierarchies));
  remove_pid.dismiss();
  const bool systemd = store.present() && keeper == 0;
  return serve(options, directory, hierarchies, store, systemd, std::move(estate), on_ready);
}

Result<int> keep_daemon(const Options& options, char** argv, const std::function<void()>& on_ready) {
  const auto directory = TRY(prepared_directory(options));
  auto lock = TRY(become_the_only_one(directory, std::chrono::seconds(0)));
  // By its path, so that after an upgrade the new program is started.
  std::vector<std::string> arguments{TRY(sys::read_link_at(AT_FDCWD, "/proc/self/exe"))};
  for (char** argument = argv + 1; *argument != nullptr; ++argument) arguments.emplace_back(*argument);
  // A relative one means another when the working directory has changed.
  arguments.insert(arguments.end(), {"--dir", directory});
  auto keeper = TRY(Keeper::create(std::move(arguments), directory, std::move(lock)));
  const ScopeExit leave_nothing{[&] { remove_files(directory); }};
  return keeper.run(on_ready);
}

}  // namespace nacre::procfs
