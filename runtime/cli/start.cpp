// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {

void declare_start(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("start", "execute the command of a created container");
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "the container's name")->required();
  command->callback([&call, id] {
    call.action = [&call, id]() -> Result<int> {
      TRY(start(call.root, *id));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
