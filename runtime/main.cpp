// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdlib>

#include "base/log.h"
#include "base/sys/sealed_self.h"
#include "runtime/cli/arguments.h"
#include "runtime/cli/commands.h"
#include "runtime/cli/report.h"

namespace {

using namespace nacre;
using namespace nacre::runtime::cli;

using Declare = void (*)(CLI::App&, Invocation&);
constexpr std::array<Declare, 12> kCommands{declare_create, declare_start,  declare_run,      declare_state,
                                            declare_kill,   declare_delete, declare_exec,     declare_list,
                                            declare_ps,     declare_pause,  declare_features, declare_spec};

// Root's containers are in /run; another user's where that user may write.
std::string default_root() {
  const char* const own = std::getenv("XDG_RUNTIME_DIR");
  return (::geteuid() != 0 && own != nullptr ? std::string(own) : "/run") + "/nacre-runtime";
}

struct Ignored {
  std::string log_level, cgroup_manager, rootless, criu;
  bool systemd_cgroup = false;
};

void declare_global(CLI::App& app, Invocation& call, Ignored& other) {
  app.set_version_flag("-v,--version", "nacre-runtime version " NACRE_VERSION "\nspec: 1.2.0");
  app.add_option("--root", call.root, "state directory")->capture_default_str();
  app.add_option("--log", call.log, "file for the error of a failing command");
  app.add_option("--log-format", call.log_format, "text or json")->check(CLI::IsMember({"text", "json"}));
  app.add_option("--log-level", other.log_level, "accepted; only errors are logged");
  app.add_flag("--debug", call.debug, "accepted; only errors are logged");
  app.add_flag("--systemd-cgroup", other.systemd_cgroup, "not supported: use the cgroupfs cgroup manager");
  app.add_option("--cgroup-manager", other.cgroup_manager, "cgroupfs")
      ->check(CLI::IsMember({"cgroupfs", "systemd", "disabled"}));
  app.add_option("--rootless", other.rootless, "accepted");
  app.add_option("--criu", other.criu, "accepted");
}

Result<> check_global(Invocation& call, const Ignored& other) {
  if (other.systemd_cgroup || other.cgroup_manager == "systemd")
    return bad_input("the systemd cgroup driver is not supported: use the engine's cgroupfs cgroup manager");
  if (other.cgroup_manager == "disabled")
    return bad_input("--cgroup-manager disabled is not supported: use cgroupfs");
  while (call.root.size() > 1 && call.root.back() == '/') call.root.pop_back();
  if (call.root == "/" || call.root.empty()) return bad_input("--root must not be /");
  if (const auto colon = call.log.find(':'); call.log.starts_with("file:")) call.log.erase(0, colon + 1);
  return {};
}

bool enters_containers(std::string_view command) {
  return command == "create" || command == "run" || command == "exec";
}

// A caller may have closed them; a descriptor of ours must not take their place.
bool has_standard_streams() {
  for (int fd = 0; fd < 3; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (!has_standard_streams()) return 1;
  log::start("nacre-runtime");
  Invocation call;
  call.root = default_root();
  Ignored other;
  CLI::App app{"OCI runtime: makes and runs containers from bundles.", "nacre-runtime"};
  app.require_subcommand(1);
  declare_global(app, call, other);
  for (const auto declare : kCommands) declare(app, call);

  auto arguments = arrange({argv + 1, argv + argc});
  call.rest = std::move(arguments.rest);
  // Engines probe for a command with `COMMAND --help`, which must not be answered by our own help.
  const auto is_command = [&](const CLI::App* known) { return known->get_name() == arguments.command; };
  if (!arguments.command.empty() && app.get_subcommands(is_command).empty()) {
    report(call, {kBadInput, "unknown command \"" + arguments.command + "\"; see: nacre-runtime --help"});
    return 1;
  }
  if (enters_containers(arguments.command)) {
    if (const auto sealed = nacre::sys::seal_self(argv); !sealed) {
      report(call, sealed.error());
      return 1;
    }
  }
  // The parser takes its words from the end.
  std::vector<std::string> words(arguments.own.rbegin(), arguments.own.rend());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& stop) {
    // --help and --version come this way too, with exit code 0.
    if (stop.get_exit_code() == 0) return app.exit(stop);
    report(call, {kBadInput, std::string(stop.what()) + "; see: nacre-runtime --help"});
    return 1;
  }
  auto checked = check_global(call, other);
  const auto done = checked ? call.action() : Result<int>{std::unexpected(checked.error())};
  if (done) return *done;
  report(call, done.error());
  return call.failure_status;
}
