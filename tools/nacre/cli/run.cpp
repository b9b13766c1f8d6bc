// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "tools/nacre/cli/commands.h"
#include "tools/nacre/cli/words.h"
#include "tools/nacre/container/container.h"
#include "tools/nacre/container/dispose.h"

namespace nacre::tool::cli {
namespace {

// The options that need reading, as typed.
struct Typed {
  RunOptions options;
  std::string memory, memory_swap, cpus, cpuset, pids_limit, name, network = "none";
  std::vector<std::string> environment, volumes;
  Words words;
};

Result<RunOptions> read(Typed typed) {
  auto options = std::move(typed.options);
  if (!typed.memory.empty()) options.memory = TRY(parse_memory(typed.memory));
  if (!typed.memory_swap.empty()) options.memory_and_swap = TRY(parse_memory_swap(typed.memory_swap));
  if (!typed.cpus.empty()) options.cpus = TRY(parse_cpus(typed.cpus));
  if (!typed.cpuset.empty()) options.cpuset = TRY(parse_cpuset(typed.cpuset));
  if (!typed.pids_limit.empty()) options.pids_limit = TRY(parse_pids_limit(typed.pids_limit));
  if (!typed.name.empty()) options.name = TRY(parse_name(typed.name));
  for (const auto& text : typed.environment)
    if (auto entry = TRY(parse_environment(text))) options.environment.push_back(std::move(*entry));
  for (const auto& text : typed.volumes) options.volumes.push_back(TRY(parse_volume(text)));
  if (typed.network != "none" && typed.network != "host")
    return bad_input("--net " + typed.network + ": unknown; use none or host");
  options.host_network = typed.network == "host";
  auto words = TRY(typed.words());
  options.image = words.front();
  options.command.assign(words.begin() + 1, words.end());
  return options;
}

Result<int> perform(const Typed& typed) {
  const auto options = TRY(read(typed));
  // What an earlier, killed nacre left must not keep this one from running.
  for (const auto& failure : TRY(sweep()))
    log::warning("cleaning up after an earlier container: " + failure.message());
  if (!options.detach) return run_foreground(options);
  std::puts(TRY(run_detached(options)).c_str());
  return 0;
}

}  // namespace

void declare_run(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("run", "Run a command in a new container");
  auto typed = std::make_shared<Typed>();
  auto& options = typed->options;
  command->add_flag("--rm", options.remove, "Remove the container and what it wrote when it ends");
  command->add_option("--name", typed->name, "Name of the container (default: its id)");
  command->add_flag("-d,--detach", options.detach, "Run in the background and print the id");
  command->add_flag("-i,--interactive", options.interactive, "Pass standard input on");
  command->add_flag("-t,--tty", options.terminal, "Give the command a terminal");
  command->add_option("-m,--memory", typed->memory, "Limit of memory (256m, 2g)");
  command->add_option("--memory-swap", typed->memory_swap, "Limit of memory and swap together; -1: none");
  command->add_option("--cpus", typed->cpus, "Limit of CPU time, in CPUs (1.5)");
  command->add_option("--cpuset-cpus", typed->cpuset, "CPUs it may run on (0-1,3)");
  command->add_flag("--physical-cpus", options.physical_cpus, "Its CPUs keep the machine's numbers");
  command->add_flag("--nesting", options.nesting, "It may hold containers with user namespaces");
  command->add_option("--pids-limit", typed->pids_limit,
                      "Limit of processes and threads (default 2048); -1: none");
  command->add_option("-e,--env", typed->environment, "Environment variable, NAME=VALUE or NAME")
      ->allow_extra_args(false);
  command->add_option("-w,--workdir", options.workdir, "Directory the command starts in");
  command->add_option("-u,--user", options.user, "User and group of the command, USER[:GROUP]");
  command->add_option("-v,--volume", typed->volumes, "Bind a directory or file, SOURCE:/DESTINATION[:ro]")
      ->allow_extra_args(false);
  command->add_flag("--read-only", options.read_only, "Nothing can be written to the root file system");
  command->add_option("--hostname", options.hostname, "Host name (default: the id)");
  command->add_option("--net,--network", typed->network, "Network: none (default) or host");
  typed->words = take_words(
      *command, "IMAGE [COMMAND…]",
      "IMAGE is a directory holding a root file system, several joined by ':' (topmost first), or busybox.");
  command->callback([typed, &chosen] { chosen = [typed] { return perform(*typed); }; });
}

}  // namespace nacre::tool::cli
