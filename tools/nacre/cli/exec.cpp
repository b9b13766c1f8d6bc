// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/exec.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/nacre/cli/commands.h"
#include "tools/nacre/cli/words.h"
#include "tools/nacre/container/run_options.h"

namespace nacre::tool::cli {
namespace {

struct Typed {
  ExecRequest request;
  std::vector<std::string> environment;
  Words words;
};

Result<int> perform(const Typed& typed) {
  auto request = typed.request;
  auto words = TRY(typed.words());
  if (words.size() < 2) return bad_input("usage: nacre exec [OPTIONS] CONTAINER COMMAND [ARGUMENT…]");
  request.container = words.front();
  request.command.assign(words.begin() + 1, words.end());
  for (const auto& text : typed.environment)
    if (auto entry = TRY(parse_environment(text))) request.environment.push_back(std::move(*entry));
  return exec_in(request);
}

}  // namespace

void declare_exec(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("exec", "Run another command in a running container");
  auto typed = std::make_shared<Typed>();
  auto& request = typed->request;
  command->add_flag("-i,--interactive", request.interactive, "Pass standard input on");
  command->add_flag("-t,--tty", request.terminal, "Give the command a terminal");
  command->add_option("-e,--env", typed->environment, "Environment variable, NAME=VALUE or NAME")
      ->allow_extra_args(false);
  command->add_option("-w,--workdir", request.workdir, "Directory the command starts in");
  command->add_option("-u,--user", request.user, "User and group of the command, USER[:GROUP]");
  typed->words = take_words(*command, "CONTAINER COMMAND [ARGUMENT…]", "");
  command->callback([typed, &chosen] { chosen = [typed] { return perform(*typed); }; });
}

}  // namespace nacre::tool::cli
