// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/hook.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/sys/file.h"
#include "tools/nacre/cli/commands.h"

namespace nacre::tool::cli {
namespace {

struct Options {
  bool lxc = false;
  bool if_running = false;
  ViewOptions view;
  std::vector<std::string> lxc_words;  // its name, "lxc", "mount": in the environment, too
};

Result<int> hook(const Options& options) {
  auto container =
      TRY(options.lxc
              ? starting_lxc_container()
              : starting_oci_container(TRY(during("read the container state", sys::read_all(STDIN_FILENO)))));
  container.options.physical_cpus |= options.view.physical_cpus;
  container.options.nesting |= options.view.nesting;
  auto given = during("container " + container.id, give_view(container));
  if (given) return 0;
  const int code = given.error().code;
  if (code != ENOENT && code != ECONNREFUSED) return std::unexpected(std::move(given.error()));
  const std::string absent = "container " + container.id + ": nacre-procfs does not run";
  if (!options.if_running) return bad_input(absent + ": start it, or give the hook --if-running");
  log::warning(absent + ": it sees the machine's /proc");
  return 0;
}

}  // namespace

void declare_hook(CLI::App& app, Action& chosen) {
  auto* const command =
      app.add_subcommand("hook", "Give a container that another runtime starts its view: an OCI or LXC hook");
  auto options = std::make_shared<Options>();
  command->add_flag("--lxc", options->lxc, "Called by LXC, as lxc.hook.mount");
  command->add_flag("--if-running", options->if_running,
                    "Without nacre-procfs the container starts with the machine's /proc");
  command->add_flag("--physical-cpus", options->view.physical_cpus, "Its CPUs keep the machine's numbers");
  command->add_flag("--nesting", options->view.nesting, "It may hold containers with user namespaces");
  command->add_option("ARGUMENT", options->lxc_words, "What LXC adds")->needs("--lxc");
  command->callback([=, &chosen] { chosen = [=] { return hook(*options); }; });
}

}  // namespace nacre::tool::cli
