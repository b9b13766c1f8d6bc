// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "base/parse.h"
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {
namespace {

struct KillArguments {
  std::string id;
  std::string signal = "TERM";
  bool all = false;
};

// "9", "KILL" or "SIGKILL", in either case; "RTMIN+3" too.
Result<int> parse_signal(const std::string& text) {
  const auto wrong = [&] { return bad_input("unknown signal \"" + text + "\""); };
  if (const auto number = parse_int<int>(text))
    return *number > 0 && *number < NSIG ? Result<int>{*number} : wrong();
  std::string name = text;
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (name.starts_with("RTMIN+")) {
    const auto offset = parse_int<int>(std::string_view(name).substr(6));
    return offset && SIGRTMIN + *offset <= SIGRTMAX ? Result<int>{SIGRTMIN + *offset} : wrong();
  }
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* const known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known) return signal;
  }
  return wrong();
}

}  // namespace

void declare_kill(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("kill", "send a signal to a container's init");
  const auto arguments = std::make_shared<KillArguments>();
  command->add_option("ID", arguments->id, "the container's name")->required();
  command->add_option("SIGNAL", arguments->signal, "name or number; TERM without");
  command->add_flag("-a,--all", arguments->all, "every process of the container");
  command->callback([&call, arguments] {
    call.action = [&call, arguments]() -> Result<int> {
      TRY(kill(call.root, arguments->id, TRY(parse_signal(arguments->signal)), arguments->all));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
