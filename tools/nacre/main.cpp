// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>

#include "base/log.h"
#include "tools/nacre/cli/commands.h"

namespace {

using namespace nacre;
using namespace nacre::tool;

constexpr std::array<cli::Declare, 7> kCommands{cli::declare_run,   cli::declare_exec, cli::declare_ps,
                                                cli::declare_stop,  cli::declare_rm,   cli::declare_logs,
                                                cli::declare_doctor};

// Engines word what exec(2) said; shells expect it in the exit code.
int exit_code_for(const Error& error) {
  const auto text = error.message();
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("executable file not found in $PATH") || says("exec: no such file")) return cli::kNotFound;
  if (says("permission denied") || says("is a directory")) return cli::kCannotExecute;
  return cli::kNacreFailed;
}

}  // namespace

int main(int argc, char** argv) {
  log::start("nacre");
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
