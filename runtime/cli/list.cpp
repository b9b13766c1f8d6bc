// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {
namespace {

struct ListArguments {
  std::string format = "table";
  bool quiet = false;
};

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

std::string as_json(const std::vector<State>& states) {
  std::string text = "[";
  for (const auto& one : states) text += (text.size() > 1 ? "," : "") + to_oci_json(one, status(one));
  return text + "]\n";
}

std::string as_table(const std::vector<State>& states) {
  std::string text =
      padded("ID", 26) + padded("PID", 10) + padded("STATUS", 10) + padded("CREATED", 32) + "BUNDLE\n";
  for (const auto& one : states) {
    const auto now = status(one);
    text += padded(one.id, 26) + padded(std::to_string(now == "stopped" ? 0 : one.pid), 10) +
            padded(now, 10) + padded(one.created, 32) + one.bundle + "\n";
  }
  return text;
}

Result<int> run(const Invocation& call, const ListArguments& arguments) {
  const auto states = TRY(list(call.root));
  std::string text;
  if (arguments.quiet)
    for (const auto& one : states) text += one.id + "\n";
  else
    text = arguments.format == "json" ? as_json(states) : as_table(states);
  TRY(print(text));
  return 0;
}

}  // namespace

void declare_list(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("list", "print the containers of the state directory");
  const auto arguments = std::make_shared<ListArguments>();
  command->add_option("-f,--format", arguments->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->add_flag("-q,--quiet", arguments->quiet, "ids only");
  command->callback(
      [&call, arguments] { call.action = [&call, arguments] { return run(call, *arguments); }; });
}

}  // namespace nacre::runtime::cli
