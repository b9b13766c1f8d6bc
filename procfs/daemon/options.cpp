// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/options.h"

#include <CLI/CLI.hpp>

#include <cstdint>

#include "base/control/protocol.h"
#include "base/log.h"

namespace nacre::procfs {

std::optional<Options> parse_options(int argc, char** argv, int& status) {
  Options options;
  options.directory = control::daemon_directory();
  double idle_seconds = 0;
  CLI::App app{"Gives every container its own /proc and /sys files and its own answers of sysinfo(2)",
               "nacre-procfs"};
  app.set_version_flag("--version", "nacre-procfs " NACRE_VERSION);
  app.add_flag("-f,--foreground", options.foreground, "stay in the foreground");
  app.add_option("--dir", options.directory,
                 "directory of the control socket, the pid file and the mount point "
                 "($NACRE_PROCFS_DIR, or /run/nacre/procfs)")
      ->take_last();
  app.add_option("--mount", options.shared,
                 "directory that gets proc and sys as lxcfs has them, for whoever binds them into containers")
      ->type_name("DIR");
  auto* const idle = app.add_option("--idle-exit", idle_seconds,
                                    "leave when no container has been registered for that many seconds");
  idle->type_name("SECONDS")->check(CLI::Range(0.0, 1e6));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    status = 0;
    return std::nullopt;
  } catch (const CLI::CallForVersion&) {
    std::puts(app.version().c_str());
    status = 0;
    return std::nullopt;
  } catch (const CLI::ParseError& mistake) {
    log::error(mistake.what());
    status = 2;
    return std::nullopt;
  }
  if (!options.shared.empty() && options.shared.front() != '/') {
    log::error("--mount " + options.shared + ": give an absolute path");
    status = 2;
    return std::nullopt;
  }
  if (idle->count() > 0)
    options.idle_exit = std::chrono::milliseconds(static_cast<std::int64_t>(idle_seconds * 1000));
  return options;
}

}  // namespace nacre::procfs
