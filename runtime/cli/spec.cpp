// SPDX-License-Identifier: Apache-2.0
#include "base/sys/file.h"
#include "runtime/cli/commands.h"
#include "runtime/spec/defaults.h"
#include "runtime/spec/parse.h"

namespace nacre::runtime::cli {

void declare_spec(CLI::App& app, Invocation& call) {
  auto* const command = app.add_subcommand("spec", "write a config.json to begin with");
  const auto bundle = std::make_shared<std::string>(".");
  command->add_option("-b,--bundle", *bundle, "directory to write it to; the current one without");
  command->callback([&call, bundle] {
    call.action = [bundle]() -> Result<int> {
      const auto path = *bundle + "/config.json";
      if (sys::exists(path)) return bad_input(path + " exists already: remove it first");
      TRY(sys::create_file(path, spec::to_json(spec::default_spec()), 0644));
      return 0;
    };
  });
}

}  // namespace nacre::runtime::cli
