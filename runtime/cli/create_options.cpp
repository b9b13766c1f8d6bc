// SPDX-License-Identifier: Apache-2.0
#include "runtime/cli/create_options.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/spec/parse.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::cli {
namespace {

std::string absolute(const std::string& path) {
  return path.empty() || path.front() == '/'
             ? path
             : (std::filesystem::current_path() / path).lexically_normal().string();
}

// Descriptors of socket activation (sd_listen_fds(3)) belong to the command too, whose pid is 1
// where it has a pid namespace.
void pass_listen_fds(CreateOptions& options) {
  const char* const value = std::getenv("LISTEN_FDS");
  const auto count = value == nullptr ? std::nullopt : parse_int<unsigned>(value);
  if (!count || *count == 0) return;
  options.preserve_fds = std::max(options.preserve_fds, *count);
  auto& environment = options.spec.process->env;
  environment.push_back("LISTEN_FDS=" + std::to_string(*count));
  environment.emplace_back("LISTEN_PID=1");
}

Result<spec::Spec> load(const std::string& bundle, const std::string& config) {
  if (config.empty()) return spec::load(bundle);
  auto spec = TRY(during(config, spec::parse(TRY(sys::read_file(config)))));
  TRY(during(config, spec::validate(spec)));
  return spec;
}

}  // namespace

void declare_create_options(CLI::App& command, CreateArguments& arguments) {
  command.add_option("ID", arguments.id, "the container's name")->required();
  command.add_option("-b,--bundle", arguments.bundle, "directory with config.json; the current one without");
  command.add_option("--config", arguments.config, "another file instead of the bundle's config.json");
  command.add_option("--console-socket", arguments.console_socket,
                     "UNIX socket that receives the terminal's master");
  command.add_option("--pid-file", arguments.pid_file, "file to write the init's pid to");
  command.add_option("--preserve-fds", arguments.preserve_fds,
                     "pass this many descriptors from 3 on to the command");
  command.add_flag("--no-pivot", arguments.no_pivot, "cover the old root instead of pivot_root (initramfs)");
  command.add_flag("--no-new-keyring", arguments.no_new_keyring, "keep the caller's session keyring");
  command.add_flag("--no-subreaper", arguments.no_subreaper, "accepted; there is no subreaper");
}

Result<CreateOptions> create_options(const Invocation& call, const CreateArguments& arguments) {
  CreateOptions options;
  options.root = call.root;
  options.id = arguments.id;
  options.bundle = absolute(arguments.bundle);
  while (options.bundle.size() > 1 && options.bundle.back() == '/') options.bundle.pop_back();
  options.spec = TRY(load(options.bundle, arguments.config));
  options.console_socket = absolute(arguments.console_socket);
  options.pid_file = absolute(arguments.pid_file);
  options.preserve_fds = arguments.preserve_fds;
  options.no_pivot = arguments.no_pivot;
  options.no_new_keyring = arguments.no_new_keyring;
  if (options.spec.process) pass_listen_fds(options);
  return options;
}

}  // namespace nacre::runtime::cli
