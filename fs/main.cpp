// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>

#include "base/fuse/session.h"
#include "base/log.h"
#include "base/sys/daemon.h"
#include "fs/fuse/operations.h"
#include "fs/setup.h"

namespace nacre::fs {
namespace {

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

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
  std::fprintf(stderr, "inodes %zu\nhandles %zu\nopen-directories %zu\nreads %llu\nwrites %llu\n", now.inodes,
               now.handles, now.open_directories, static_cast<unsigned long long>(now.reads),
               static_cast<unsigned long long>(now.writes));
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

Result<> serve(const Options& options) {
  std::optional<sys::Daemon> daemon;
  if (!options.foreground) daemon = TRY(sys::Daemon::split());
  auto prepared = TRY(prepare(options));
  const auto mountpoint = TRY(absolute(options.mountpoint));
  const auto fs = TRY(during("open the layers", OverlayFs::create(std::move(prepared.config))));
  FuseService service{.fs = *fs,
                      .timeout = options.timeout,
                      .acl = options.acl,
                      .xattrs = options.xattrs,
                      .on_ready = {},
                      .session = nullptr};
  if (daemon) service.on_ready = [&] { daemon->ready(); };
  auto session = TRY(fuse::Session::create("nacre-fs", operations(), &service, mount_options(options)));
  service.session = session.get();
  TRY(session.mount(mountpoint));
  return session.serve(thread_count(options), {SIGUSR1}, [&](int signal) {
    if (signal == SIGUSR1)
      print_statistics(*fs);
    else
      session.stop();
  });
}

int run(std::span<const std::string_view> arguments) {
  log::start("nacre-fs");
  const auto options = parse_options(arguments);
  if (!options) {
    log::error(options.error().message());
    return 1;
  }
  if (options->help || options->version) {
    std::fputs(options->help ? help_text().c_str() : "nacre-fs " NACRE_VERSION "\n", stdout);
    return 0;
  }
  for (const auto& option : options->ignored) log::warning("unknown argument ignored: " + option);
  // The modes of new files are exactly those we are asked for.
  ::umask(0);
  raise_descriptor_limit();
  fuse::block_signals({SIGUSR1});
  if (const auto served = serve(*options); !served) {
    log::error(served.error().message());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace nacre::fs

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  return nacre::fs::run(arguments);
}
