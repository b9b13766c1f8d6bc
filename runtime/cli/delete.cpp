// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {
namespace {

struct DeleteArguments {
  std::string id;
  bool force = false;
};

}  // namespace

void declare_delete(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("delete", "remove what is left of a stopped container");
  const auto arguments = std::make_shared<DeleteArguments>();
  command->add_option("ID", arguments->id, "the container's name")->required();
  command->add_flag("-f,--force", arguments->force, "kill it first if it runs; an unknown id is no error");
  command->callback([&call, arguments] {
    call.action = [&call, arguments]() -> Result<int> {
      TRY(remove(call.root, arguments->id, arguments->force));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
