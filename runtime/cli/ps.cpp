// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/cgroup/hierarchy.h"
#include "base/parse.h"
#include "base/sys/process.h"
#include "runtime/cgroup/manager.h"
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {
namespace {

struct PsArguments {
  std::string id;
  std::string format = "table";
};

Result<std::vector<pid_t>> pids_of(const State& state) {
  if (state.cgroup_path.empty()) return std::vector<pid_t>{state.pid};
  return TRY(CgroupManager::open(TRY(cgroup::Hierarchies::detect()), state.cgroup_path)).pids();
}

// ps(1) knows its formats better than we do: the container's lines of what it prints.
Result<int> table(const std::vector<pid_t>& pids, std::vector<std::string> options) {
  if (options.empty()) options = {"-ef"};
  std::string list;
  for (const auto pid : pids) list += (list.empty() ? "" : ",") + std::to_string(pid);
  // -p restricts the selection to these where the options select nothing else.
  std::vector<std::string> argv{"/usr/bin/ps"};
  const bool selects_all = options == std::vector<std::string>{"-ef"};
  if (selects_all)
    argv.emplace_back("-f");
  else
    argv.insert(argv.end(), options.begin(), options.end());
  argv.insert(argv.end(), {"-p", list});
  const auto child = TRY(
      sys::spawn({.argv = argv, .environment = std::nullopt, .fds = {{1, 1}, {2, 2}}, .cgroup_procs = {}}));
  return sys::wait_for(child);
}

Result<int> run(const Invocation& call, const PsArguments& arguments) {
  const auto found = TRY(state(call.root, arguments.id));
  if (!init_lives(found)) return bad_input("container not running");
  const auto pids = TRY(pids_of(found));
  if (arguments.format != "json") return table(pids, call.rest);
  std::string text = "[";
  for (const auto pid : pids) text += (text.size() > 1 ? "," : "") + std::to_string(pid);
  TRY(print(text + "]\n"));
  return 0;
}

}  // namespace

void declare_ps(CLI::App& app, Invocation& call) {
  auto* const command =
      app.add_subcommand("ps", "print the processes of a container: ps [OPTIONS] ID [ps(1) options]");
  const auto arguments = std::make_shared<PsArguments>();
  command->add_option("ID", arguments->id, "the container's name")->required();
  command->add_option("-f,--format", arguments->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  command->callback(
      [&call, arguments] { call.action = [&call, arguments] { return run(call, *arguments); }; });
}

}  // namespace nacre::runtime::cli
