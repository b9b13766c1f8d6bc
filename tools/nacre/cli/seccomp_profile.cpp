// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/seccomp_profile.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/control/protocol.h"
#include "base/sys/file.h"
#include "tools/nacre/cli/commands.h"

namespace nacre::tool::cli {
namespace {

struct Options {
  std::string profile = "/usr/share/containers/seccomp.json";
  bool affinity = false;
};

Result<int> write_profile(const Options& options) {
  const auto given = TRY(during("read the engine's seccomp profile", sys::read_file(options.profile)));
  const auto made = TRY(during(
      options.profile, with_view_calls(given, control::daemon_directory() + "/seccomp", options.affinity)));
  std::fputs(made.c_str(), stdout);
  return std::fflush(stdout) == 0 ? Result<int>(0) : fail(errno, "write the profile");
}

}  // namespace

void declare_seccomp_profile(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "seccomp-profile", "Write an engine's seccomp profile that has sysinfo(2) answered by nacre-procfs");
  auto options = std::make_shared<Options>();
  command->add_option("PROFILE", options->profile, "The engine's own profile")->capture_default_str();
  command->add_flag("--affinity", options->affinity, "Answer sched_getaffinity(2) within the CPU quota, too");
  command->callback([=, &chosen] { chosen = [=] { return write_profile(*options); }; });
}

}  // namespace nacre::tool::cli
