// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <string_view>

#include "base/log.h"
#include "base/sys/sealed_self.h"
#include "tools/nacre/cli/commands.h"

namespace {

using namespace nacre;
using namespace nacre::tool;

constexpr std::array<cli::Declare, 11> kCommands{cli::declare_run,    cli::declare_exec,
                                                 cli::declare_ps,     cli::declare_stop,
                                                 cli::declare_rm,     cli::declare_logs,
                                                 cli::declare_attach, cli::declare_detach,
                                                 cli::declare_hook,   cli::declare_seccomp_profile,
                                                 cli::declare_doctor};

int exit_code_for(const Error& error) {
  if (error.code == kNoCommand) return cli::kNotFound;
  return error.code == kUnusableCommand ? cli::kCannotExecute : cli::kNacreFailed;
}

}  // namespace

int main(int argc, char** argv) {
  log::start("nacre");
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "run" || command == "exec") {
    if (const auto sealed = sys::seal_self(argv); !sealed) {
      log::error(sealed.error().message());
      return cli::kNacreFailed;
    }
  }
  CLI::App app{"Runs containers with a copy-on-write root and their own view of the machine.", "nacre"};
  app.set_version_flag("--version", "nacre version " NACRE_VERSION);
  app.require_subcommand(1);
  app.fallthrough(false);
  cli::Action chosen;
  for (const auto declare : kCommands) declare(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    // --help and --version come this way too, with exit code 0.
    if (stop.get_exit_code() == 0) return app.exit(stop);
    log::error(std::string(stop.what()) + "; see: nacre --help");
    return cli::kNacreFailed;
  }
  const auto done = chosen();
  if (done) return *done;
  log::error(done.error().message());
  return exit_code_for(done.error());
}
