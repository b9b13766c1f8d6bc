// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/cgroup/devices.h"
#include "runtime/cgroup/freezer.h"
#include "runtime/cgroup/manager.h"
#include "runtime/cgroup/tree.h"

// What CgroupManager does to the processes in the cgroup, and the device rules.
namespace nacre::runtime {
namespace {

constexpr std::chrono::seconds kKillPatience{10};

// Only there can device rules be set; the kernel's own checks hold in other namespaces.
Result<bool> in_initial_user_namespace() {
  const auto text = TRY(sys::read_file("/proc/self/uid_map"));
  const auto words = split_blank(text);
  return words.size() == 3 && words[0] == "0" && words[1] == "0" && words[2] == "4294967295";
}

}  // namespace

Result<> CgroupManager::apply_devices(const std::vector<spec::DeviceRule>& rules) {
  const auto complete = TRY(devices::complete(rules));
  if (!TRY(in_initial_user_namespace())) return {};
  if (const auto* v1 = hierarchies_.of("devices")) {
    for (const auto& write : TRY(devices::v1_writes(complete))) {
      const auto file = v1->directory(path_) + (write.allow ? "/devices.allow" : "/devices.deny");
      TRY(during("device rules", sys::write_file(file, write.text)));
    }
    return {};
  }
  const auto* v2 = hierarchies_.v2();
  if (v2 == nullptr)
    return bad_input("device rules: this machine has neither a devices controller nor cgroup v2");
  return devices::attach(v2->directory(path_), devices::v2_program(complete));
}

// In a hybrid set-up both freezers exist; the v1 one is what other tools look at.
Result<> CgroupManager::freeze(bool frozen) {
  if (const auto* v1 = hierarchies_.of("freezer")) return freezer::set_v1(v1->directory(path_), frozen);
  if (const auto* v2 = hierarchies_.v2()) return freezer::set_v2(v2->directory(path_), frozen);
  return fail(ENOTSUP,
              "freeze cgroup " + path_ + " (this machine has neither a freezer controller nor cgroup v2)");
}

Result<bool> CgroupManager::frozen() const {
  if (const auto* v1 = hierarchies_.of("freezer");
      v1 != nullptr && TRY(freezer::is_frozen_v1(v1->directory(path_))))
    return true;
  const auto* v2 = hierarchies_.v2();
  return v2 != nullptr && TRY(freezer::is_frozen_v2(v2->directory(path_)));
}

Result<> CgroupManager::kill_all(int signal) {
  if (signal != SIGKILL) return kill_by_signal(signal);

  const auto* v1_freezer = hierarchies_.of("freezer");
  const auto* v2 = hierarchies_.v2();
  Result<> step;
  const bool emptied = tree::wait_until(kKillPatience, [&] {
    const auto left = pids();
    if (!left) step = std::unexpected(left.error());
    if (!step || left->empty()) return true;
    // One write, and not even a fork bomb gets away (Linux 5.14). Otherwise everything is stopped
    // first, so that no process forks between the list and the signal.
    const bool killed = v2 != nullptr && sys::write_file(v2->directory(path_) + "/cgroup.kill", "1");
    if (!killed && v1_freezer != nullptr)
      static_cast<void>(freezer::set_v1(v1_freezer->directory(path_), true));
    step = kill_by_signal(SIGKILL);
    // A v1 frozen process dies only when it is thawed; a v2 frozen one at once.
    if (v1_freezer != nullptr) {
      auto thawed = freezer::set_v1(v1_freezer->directory(path_), false);
      if (step) step = std::move(thawed);
    }
    return !step.has_value();
  });
  if (!step) return step;
  if (!emptied) return fail(ETIMEDOUT, "kill the processes of cgroup " + path_);
  return {};
}

Result<> CgroupManager::kill_by_signal(int signal) {
  for (const auto pid : TRY(pids()))
    if (::kill(pid, signal) != 0 && errno != ESRCH)
      return fail(errno, "signal process " + std::to_string(pid) + " of cgroup " + path_);
  return {};
}

}  // namespace nacre::runtime
