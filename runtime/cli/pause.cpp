// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup/hierarchy.h"
#include "runtime/cgroup/manager.h"
#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {
namespace {

Result<int> freeze(const Invocation& call, const std::string& id, bool frozen) {
  const auto found = TRY(state(call.root, id));
  const auto now = status(found);
  if (frozen ? now != "running" && now != "created" : now != "paused")
    return bad_input("cannot " + std::string(frozen ? "pause" : "resume") + " a " + now + " container" +
                     (now == "stopped" ? ": container not running" : ""));
  auto cgroup = TRY(CgroupManager::open(TRY(cgroup::Hierarchies::detect()), found.cgroup_path));
  TRY(cgroup.freeze(frozen));
  return 0;
}

void declare(CLI::App& app, Invocation& call, const char* name, const char* text, bool frozen) {
  auto* const command = app.add_subcommand(name, text);
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "the container's name")->required();
  command->callback(
      [&call, id, frozen] { call.action = [&call, id, frozen] { return freeze(call, *id, frozen); }; });
}

}  // namespace

void declare_pause(CLI::App& app, Invocation& call) {
  declare(app, call, "pause", "stop every process of a container", true);
  declare(app, call, "resume", "let them go on", false);
}

}  // namespace nacre::runtime::cli
