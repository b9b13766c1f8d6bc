// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "runtime/cli/commands.h"
#include "runtime/container.h"

namespace nacre::runtime::cli {

// The options that `create` and `run` share.
struct CreateArguments {
  std::string id;
  std::string bundle = ".";
  std::string config;  // instead of the bundle's config.json
  std::string console_socket, pid_file;
  unsigned preserve_fds = 0;
  bool no_pivot = false, no_new_keyring = false;
  bool detach = false;        // create always does
  bool no_subreaper = false;  // there is none
};
void declare_create_options(CLI::App& command, CreateArguments& arguments);

// Loads the specification and makes paths absolute.
Result<CreateOptions> create_options(const Invocation& call, const CreateArguments& arguments);

}  // namespace nacre::runtime::cli
