// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/hook.h"

#include <fcntl.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/control/protocol.h"
#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "base/sys/process.h"
#include "runtime/annotations.h"
#include "runtime/nesting.h"
#include "runtime/spec/parse.h"

namespace nacre::tool {
namespace {

using Json = nlohmann::json;

std::string text_at(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A process's number and what it says of itself; both as /proc has them, which a hook sees from the machine's
// side even if it runs in the container's pid namespace.
struct Process {
  pid_t number = 0;
  pid_t parent = 0;
  pid_t innermost = 0;  // in its own pid namespace
};

Result<Process> process_of(const std::string& name) {
  const auto status = TRY(sys::read_file("/proc/" + name + "/status"));
  Process process;
  for (const auto line : split(status, '\n')) {
    const auto words = split_blank(line);
    if (words.size() < 2) continue;
    if (words[0] == "Pid:") process.number = parse_int<pid_t>(words[1]).value_or(0);
    if (words[0] == "PPid:") process.parent = parse_int<pid_t>(words[1]).value_or(0);
    if (words[0] == "NSpid:") process.innermost = parse_int<pid_t>(words.back()).value_or(0);
  }
  return process;
}

Result<std::string> mounts_of(const std::string& process) {
  return sys::read_link_at(AT_FDCWD, ("/proc/" + process + "/ns/mnt").c_str());
}

// The nearest process above this one that is `number` in its own pid namespace and has our mounts: a hook
// that runs inside the container is the init's child, or the child of a shell that is.
std::optional<pid_t> init_above(pid_t number) {
  const auto own_mounts = mounts_of("self");
  auto process = process_of("self");
  for (int steps = 0; process && own_mounts && process->parent > 0 && steps < 8; ++steps) {
    const auto name = std::to_string(process->parent);
    process = process_of(name);
    const auto its_mounts = mounts_of(name);
    if (!process || !its_mounts || *its_mounts != *own_mounts) break;
    if (process->innermost == number) return process->number;
  }
  return std::nullopt;
}

// The state has the init's number in the runtime's pid namespace at createRuntime, in the container's at
// createContainer (runc), or none (crun).
Result<pid_t> find_init(pid_t number) {
  if (number <= 0) {
    const auto self = TRY(process_of("self"));
    return self.parent;
  }
  if (const auto above = init_above(number)) return *above;
  if (number > 1 && sys::exists("/proc/" + std::to_string(number) + "/ns/mnt")) return number;
  return bad_input("no process " + std::to_string(number) +
                   " runs: use this hook at the stage createContainer or createRuntime");
}

Result<int> place(const StartingContainer& container, const std::vector<control::ViewMount>& mounts) {
  const auto init = std::to_string(container.init);
  if (TRY(mounts_of("self")) == TRY(mounts_of(init)))
    return put_over_kernel_files(mounts, container.root, container.options);
  const auto its = TRY(sys::open_at(AT_FDCWD, ("/proc/" + init + "/ns/mnt").c_str(), O_RDONLY));
  return during("in the mounts of process " + init, sys::in_mount_namespace(its.get(), [&] {
                  return put_over_kernel_files(mounts, container.root, container.options);
                }));
}

// The runtime has not covered anything yet, but will.
Result<> check_nesting_of(const StartingContainer& container) {
  if (container.bundle.empty()) return check_root_is_nobody(container.init);
  auto spec = TRY(runtime::spec::parse(TRY(sys::read_file(container.bundle + "/config.json"))));
  spec.annotations[runtime::kNestingAnnotation] = "on";
  TRY(runtime::allows_nesting(spec));
  return {};
}

Result<> nowhere(const StartingContainer& container) {
  return bad_input("container " + container.id + ": nothing of " + container.root +
                   "/proc and /sys is the kernel's own");
}

}  // namespace

Result<StartingContainer> starting_oci_container(std::string_view state) {
  const auto json = Json::parse(state, nullptr, false);
  if (!json.is_object())
    return bad_input("no container state on standard input: this command is for OCI runtimes to run");
  StartingContainer container{.id = text_at(json, "id"), .init = 0, .root = {}};
  if (const auto annotations = json.find("annotations");
      annotations != json.end() && annotations->is_object())
    container.options = {.physical_cpus = text_at(*annotations, runtime::kCpusAnnotation) == "physical",
                         .nesting = text_at(*annotations, runtime::kNestingAnnotation) == "on"};
  container.bundle = text_at(json, "bundle");
  const auto& bundle = container.bundle;
  if (container.id.empty() || bundle.empty())
    return bad_input("the container state names no id or no bundle");
  const auto number = json.find("pid");
  container.init =
      TRY(find_init(number != json.end() && number->is_number_integer() ? number->get<pid_t>() : 0));

  const auto config = Json::parse(TRY(sys::read_file(bundle + "/config.json")), nullptr, false);
  const auto root = config.is_object() ? config.find("root") : config.end();
  if (!config.is_object() || root == config.end() || !root->is_object() || text_at(*root, "path").empty())
    return bad_input(bundle + "/config.json names no root");
  const auto path = text_at(*root, "path");
  container.root = path.front() == '/' ? path : bundle + "/" + path;
  return container;
}

Result<StartingContainer> starting_lxc_container() {
  const char* const name = std::getenv("LXC_NAME");
  const char* const root = std::getenv("LXC_ROOTFS_MOUNT");
  if (name == nullptr || root == nullptr)
    return bad_input("no LXC_NAME and LXC_ROOTFS_MOUNT in the environment: this is for LXC's lxc.hook.mount");
  const auto init = init_above(1);
  if (!init) return bad_input("container " + std::string(name) + ": its first process is not above the hook");
  return StartingContainer{.id = "lxc-" + std::string(name), .init = *init, .root = root};
}

Result<> give_view(const StartingContainer& container) {
  if (container.options.nesting) TRY(check_nesting_of(container));
  auto connected = control::Client::connect();
  if (!connected) {
    const auto inherited = TRY(during("hand on the view of this container", own_view()));
    if (inherited.empty()) return std::unexpected(std::move(connected.error()));
    return TRY(place(container, inherited)) > 0 ? Result<>{} : nowhere(container);
  }
  auto client = std::move(*connected);
  const auto mounts =
      TRY(during("register with nacre-procfs",
                 client.add(registration_of(container.id, container.init, container.options))));
  const auto count = place(container, mounts);
  if (count && *count > 0) return {};
  static_cast<void>(client.remove(container.id));
  if (!count) return std::unexpected(count.error());
  return nowhere(container);
}

}  // namespace nacre::tool
