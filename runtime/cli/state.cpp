// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {

void declare_state(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("state", "print a container's state as JSON");
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "the container's name")->required();
  command->callback([&call, id] {
    call.action = [&call, id]() -> Result<int> {
      const auto found = TRY(state(call.root, *id));
      TRY(print(to_oci_json(found, status(found)) + "\n"));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
