// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/create_options.h"

namespace nacre::runtime::cli {

void declare_create(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("create", "make a container whose command waits for start");
  const auto arguments = std::make_shared<CreateArguments>();
  declare_create_options(*command, *arguments);
  command->add_flag("-d,--detach", arguments->detach, "accepted; create never waits");
  command->callback([&call, arguments] {
    call.action = [&call, arguments]() -> Result<int> {
      TRY(create(TRY(create_options(call, *arguments))));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
