// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/stop.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/nacre/cli/commands.h"
#include "tools/nacre/cli/each.h"

namespace nacre::tool::cli {
namespace {

struct Typed {
  unsigned seconds = 10;
  std::vector<std::string> containers;
};

}  // namespace

void declare_stop(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("stop", "Stop running containers");
  auto typed = std::make_shared<Typed>();
  command->add_option("-t,--time", typed->seconds, "Seconds to wait before killing (default 10)");
  command->add_option("CONTAINER", typed->containers, "Ids or names")->required();
  command->callback([typed, &chosen] {
    chosen = [typed] {
      return for_each_container(typed->containers,
                                [&](const Record& record) { return stop(record, typed->seconds); });
    };
  });
}

}  // namespace nacre::tool::cli
