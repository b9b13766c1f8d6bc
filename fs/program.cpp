// SPDX-License-Identifier: Apache-2.0
#include "fs/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/fuse/session.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/sys/daemon.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "base/sys/unmounter.h"
#include "fs/confinement.h"
#include "fs/control.h"
#include "fs/errand.h"
#include "fs/fuse/operations.h"
#include "fs/setup.h"

namespace nacre::fs {
namespace {

std::vector<std::string> mount_options(const Options& options) {
  // A container's files have all kinds of owners and set-id bits; the kernel checks them.
  std::vector<std::string> all{"default_permissions", "fsname=nacre-fs", "subtype=nacre-fs"};
  if (::geteuid() == 0) all.insert(all.end(), {"allow_other", "suid", "dev"});
  all.emplace_back("noatime");
  if (!options.upper) all.emplace_back("ro");
  if (options.debug) all.emplace_back("debug");
  // Later ones win.
  all.insert(all.end(), options.mount_options.begin(), options.mount_options.end());
  return all;
}

unsigned thread_count(const Options& options) {
  if (options.threads != 0) return options.threads;
  // More than processors, because a copy-up keeps one of them waiting for the disk.
  return std::clamp(std::thread::hardware_concurrency() * 2, 8u, 32u);
}

void print_statistics(const OverlayFs& fs) {
  const auto now = fs.statistics();
  std::fprintf(
      stderr, "inodes %zu\nhandles %zu\nopen-directories %zu\nreads %llu\nwrites %llu\npassed-through %llu\n",
      now.inodes, now.handles, now.open_directories, static_cast<unsigned long long>(now.reads),
      static_cast<unsigned long long>(now.writes), static_cast<unsigned long long>(now.passed_through));
}

// libfuse unmounts by path when we end, wherever our working directory is then.
Result<std::string> absolute(const std::string& mountpoint) {
  if (mountpoint.starts_with("/dev/fd/")) return mountpoint;
  char* const resolved = ::realpath(mountpoint.c_str(), nullptr);
  if (resolved == nullptr) return fail(errno, "mount point " + mountpoint);
  std::string path(resolved);
  std::free(resolved);
  return path;
}

// Root of a user namespace keeps set-id bits of the files it writes, but where mounts may be idmapped only
// the machine's own root is told apart.
bool is_initial_user_namespace() {
  const auto map = sys::read_file("/proc/self/uid_map");
  return map && split_blank(*map) == std::vector<std::string_view>{"0", "0", "4294967295"};
}

Result<> serve(const Options& options, const WrapUpper& wrap_upper) {
  std::optional<sys::Daemon> daemon;
  if (!options.foreground) daemon = TRY(sys::Daemon::split());
  auto prepared = TRY(prepare(options));
  const auto mountpoint = TRY(absolute(options.mountpoint));
  if (wrap_upper && prepared.config.upper)
    prepared.config.upper = wrap_upper(std::move(prepared.config.upper));
  KernelPassthrough passthrough;
  KernelPassthrough* const wanted = options.passthrough ? &passthrough : nullptr;
  KernelNotes notes;
  prepared.config.passthrough = wanted;
  prepared.config.kernel_cache = &notes;
  Errand* prune = nullptr;  // before anything is served
  prepared.config.on_crowded = [&] { prune->ask(); };
  const auto fs = TRY(during("open the layers", OverlayFs::create(std::move(prepared.config))));
  FuseService service{.fs = *fs,
                      .timeout = options.timeout,
                      .acl = options.acl,
                      .xattrs = options.xattrs,
                      .passthrough = wanted,
                      .kernel_opens_directories = false,
                      .notes = notes,
                      .address = {},
                      .on_ready = {}};
  if (daemon) service.on_ready = [&] { daemon->ready(); };
  auto session = TRY(fuse::Session::create("nacre-fs", operations(), &service, mount_options(options)));
  notes.attach(session.get());
  auto control = TRY(during("make a socket", ControlSocket::open()));
  service.address = TRY(control.address());
  service.address.upper = prepared.upper.get();
  service.address.work = prepared.work.get();
  TRY(session.mount(mountpoint));
  // The kernel insists on "default_permissions", which is unknown of what others have mounted.
  if (!mountpoint.starts_with("/dev/fd/") && is_initial_user_namespace()) session.allow_idmapped_mounts();
  std::optional<sys::Unmounter> unmounter;
  if (options.confine) {
    if (!mountpoint.starts_with("/dev/fd/")) unmounter.emplace(TRY(sys::Unmounter::start(mountpoint)));
    session.leave_mounted();
    TRY(confine());
  }
  Errand pruning([&] { return fs->prune(); });
  Errand reloading([&] {
    fs->reload();
    return true;
  });
  prune = &pruning;
  control.serve([&](std::vector<UniqueFd> roots) -> Result<> {
    std::vector<std::unique_ptr<Layer>> layers;
    for (auto& root : roots) layers.push_back(lower_layer(std::move(root)));
    TRY(fs->add_layers(std::move(layers)));
    fs->reload();
    return {};
  });
  auto served = session.serve({.threads = thread_count(options),
                               .poll = options.poll,
                               .signals = {SIGUSR1},
                               .on_signal = [&](int signal) {
                                 if (signal == SIGUSR1)
                                   print_statistics(*fs);
                                 else
                                   reloading.ask();
                               }});
  if (unmounter && session.was_unmounted()) unmounter->dismiss();
  return served;
}

}  // namespace

int run_program(std::span<const std::string_view> arguments, const WrapUpper& wrap_upper) {
  log::start("nacre-fs");
  auto options = parse_options(arguments);
  if (!options) {
    log::error(options.error().message());
    return 1;
  }
  if (options->reload) {
    const auto asked = reload(*options);
    if (!asked) log::error(asked.error().message());
    return asked ? 0 : 1;
  }
  if (options->help || options->version) {
    if (options->help)
      std::fputs(help_text().c_str(), stdout);
    else
      std::printf("nacre-fs: version " NACRE_VERSION "\nFUSE library version %s\n", fuse_pkgversion());
    return 0;
  }
  for (const auto& option : options->ignored) log::warning("unknown argument ignored: " + option);
  if (std::getenv("FUSE_OVERLAYFS_NO_PASSTHROUGH") != nullptr) options->passthrough = false;
  if (std::getenv("FUSE_OVERLAYFS_DISABLE_OVL_WHITEOUT") != nullptr) options->markers = true;
  // The modes of new files are exactly those we are asked for.
  ::umask(0);
  sys::raise_descriptor_limit();
  fuse::block_signals({SIGUSR1});
  if (const auto served = serve(*options, wrap_upper); !served) {
    log::error(served.error().message());
    return 1;
  }
  return 0;
}

}  // namespace nacre::fs
