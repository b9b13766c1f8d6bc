// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/daemon.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <thread>

#include "base/cgroup/hierarchy.h"
#include "base/fuse/session.h"
#include "base/log.h"
#include "base/scope_exit.h"
#include "base/sys/file.h"
#include "base/sys/socket.h"
#include "procfs/control/server.h"
#include "procfs/daemon/mount_space.h"
#include "procfs/daemon/shared_mounts.h"
#include "procfs/daemon/single_instance.h"
#include "procfs/fuse/operations.h"
#include "procfs/load_tracker.h"
#include "procfs/view_mounts.h"

namespace nacre::procfs {
namespace {

constexpr unsigned kFuseThreads = 4;
constexpr std::chrono::microseconds kPoll{50};

// The directory's own path, so that it stays the same under another root.
Result<std::string> prepare_directory(const std::string& wanted) {
  TRY(sys::make_directories(wanted));
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(wanted.c_str(), nullptr), std::free);
  if (!real) return fail(errno, wanted);
  return std::string(real.get());
}

Result<cgroup::Hierarchies> find_cgroups() {
  auto hierarchies = TRY(cgroup::Hierarchies::detect());
  if (hierarchies.mode() == cgroup::Mode::none)
    return bad_input("no cgroup file system is mounted; mount one on /sys/fs/cgroup");
  return hierarchies;
}

std::vector<std::string> mountpoints(const cgroup::Hierarchies& hierarchies) {
  std::vector<std::string> paths;
  for (const auto& hierarchy : hierarchies.all()) paths.push_back(hierarchy.mountpoint);
  return paths;
}

// Everything that runs, in the order it starts; it ends in the opposite order.
Result<> serve(const Options& options, const std::string& directory, const cgroup::Hierarchies& hierarchies,
               MountSpace space, UniqueFd socket, const std::function<void()>& on_ready) {
  SystemClock clock;
  HotFiles files;
  Host host(files, clock);
  Registry registry({files, host, clock}, hierarchies);
  Tree tree(registry);
  const auto triggers = TRY(during("wait for pressure", PressureTriggers::start()));
  OpenFiles open_files(tree, clock, triggers.get());
  FileSystem file_system{tree, open_files,
                         std::chrono::floor<std::chrono::seconds>(clock.realtime()).count()};
  auto supervisor = TRY(during("start the system call supervisor", Supervisor::start(registry)));
  Service service(registry, *supervisor,
                  [&](const Container& container) { return open_view_mounts(space.root.get(), container); });

  auto session = TRY(fuse::Session::create("nacre-procfs", operations(), &file_system, {}));
  TRY(session.mount("/dev/fd/" + std::to_string(space.fuse.get())));
  static_cast<void>(space.fuse.release());  // the session's from here on
  auto server = TRY(Server::create(
      service, std::move(socket),
      {.path = directory + "/control", .idle_exit = options.idle_exit, .on_idle = [&] { session.stop(); }}));
  const LoadTracker tracker(registry, files);
  // What is mounted elsewhere is looked up here first, so others have to serve by then.
  Result<SharedMounts> shared;
  std::thread control([&] {
    if (!options.shared.empty())
      shared = SharedMounts::attach(std::move(space.outside), space.root.get(), options.shared);
    if (shared) {
      on_ready();
      server.run();
    } else {
      session.stop();
    }
  });
  auto served = session.serve({.threads = kFuseThreads, .poll = kPoll});
  triggers->stop();  // before the session that it wakes callers of
  server.stop();
  control.join();
  if (!shared) served = std::unexpected(std::move(shared.error()));
  // A thread held up by a caller's memory would never be joined; the process ends instead.
  if (!supervisor->stop()) static_cast<void>(supervisor.release());
  return served;
}

}  // namespace

Result<> run_daemon(const Options& options, const std::function<void()>& on_ready) {
  fuse::block_signals();
  const auto directory = TRY(prepare_directory(options.directory));
  const auto lock = TRY(become_the_only_one(directory));
  const auto hierarchies = TRY(find_cgroups());
  const auto mountpoint = directory + "/mnt";
  TRY(sys::make_directories(mountpoint));
  auto space = TRY(enter_mount_space(directory, mountpoint, mountpoints(hierarchies)));
  const auto pid_file = directory + "/pid";
  const ScopeExit remove_files{[&] {
    ::unlink(pid_file.c_str());
    ::unlink((directory + "/control").c_str());
  }};
  TRY(sys::replace_file(pid_file, std::to_string(::getpid()) + "\n"));
  auto socket = TRY(sys::listen_seqpacket(directory + "/control"));
  return serve(options, directory, hierarchies, std::move(space), std::move(socket), on_ready);
}

}  // namespace nacre::procfs
