// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/attach.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>

#include "base/log.h"
#include "tools/nacre/cli/commands.h"

namespace nacre::tool::cli {
namespace {

CLI::App* declare_view_command(CLI::App& app, Action& chosen, const char* name, const char* help,
                               std::function<Result<>(pid_t)> act) {
  auto* const command = app.add_subcommand(name, help);
  auto container = std::make_shared<std::string>();
  command->add_option("CONTAINER", *container, "Its id, or the number of a process in it")->required();
  command->callback([=, &chosen, act = std::move(act)] {
    chosen = [=]() -> Result<int> {
      TRY(during("container " + *container, act(TRY(find_container_process(*container)))));
      return 0;
    };
  });
  return command;
}

}  // namespace

void declare_attach(CLI::App& app, Action& chosen) {
  auto options = std::make_shared<ViewOptions>();
  auto* const command = declare_view_command(
      app, chosen, "attach", "Give a running container of any engine its own view of /proc and /sys",
      [=](pid_t process) { return attach_view(process, *options); });
  command->add_flag("--physical-cpus", options->physical_cpus, "Its CPUs keep the machine's numbers");
  command->add_flag("--nesting", options->nesting, "It may hold containers with user namespaces");
}

void declare_detach(CLI::App& app, Action& chosen) {
  declare_view_command(app, chosen, "detach", "Take the view away again", detach_view);
}

}  // namespace nacre::tool::cli
