// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/nacre/cli/commands.h"
#include "tools/nacre/cli/each.h"
#include "tools/nacre/container/stop.h"

namespace nacre::tool::cli {
namespace {

struct Typed {
  bool force = false, all = false;
  std::vector<std::string> containers;
};

Result<int> perform(const Typed& typed) {
  auto names = typed.containers;
  if (typed.all)
    for (const auto& record : TRY(all_records())) names.push_back(record.id);
  if (names.empty() && !typed.all) return bad_input("usage: nacre rm [OPTIONS] CONTAINER…");
  return for_each_container(names, [&](const Record& record) { return remove(record, typed.force); });
}

}  // namespace

void declare_rm(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand("rm", "Remove containers and what they wrote");
  auto typed = std::make_shared<Typed>();
  command->add_flag("-f,--force", typed->force, "Kill running ones first");
  command->add_flag("-a,--all", typed->all, "All containers");
  command->add_option("CONTAINER", typed->containers, "Ids or names");
  command->callback([typed, &chosen] { chosen = [typed] { return perform(*typed); }; });
}

}  // namespace nacre::tool::cli
