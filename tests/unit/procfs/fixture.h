// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "procfs/registry.h"
#include "procfs/tree.h"
#include "tests/support/fake_cgroup.h"
#include "tests/support/fake_clock.h"

namespace nacre::procfs {

// A daemon's inside over a fake machine.
struct FakeMachine {
  explicit FakeMachine(cgroup::Mode mode, unsigned cpus = 4) : cgroups(mode, cpus) {}

  test::FakeCgroup cgroups;
  test::FakeClock clock;
  HotFiles files{cgroups.hierarchies().mountpoints()};
  Host host{files, clock, cgroups.root()};
  Registry registry{{files, host, clock}, cgroups.hierarchies()};
  Tree tree{registry};

  // A container that starts now, with a time namespace of its own; this test is its init.
  Result<ContainerRef> add(const std::string& id, const std::string& cgroup) {
    control::Registration registration{id, ::getpid(), cgroup, -clock.boottime().count(), true};
    return registry.add(registration);
  }
  // A /proc entry of a process in `cgroup`.
  void process(pid_t pid, const std::string& cgroup) {
    std::string text;
    int id = 9;
    for (const auto& hierarchy : cgroups.hierarchies().all()) {
      std::string controllers;
      for (const auto& name : hierarchy.controllers) controllers += (controllers.empty() ? "" : ",") + name;
      text += hierarchy.v2 ? "0::" + cgroup + "\n"
                           : std::to_string(id--) + ":" + controllers + ":" + cgroup + "\n";
    }
    cgroups.write("/proc/" + std::to_string(pid) + "/cgroup", text);
  }
  // Past the life of a snapshot.
  void later() { clock.advance(std::chrono::seconds(2)); }
};

inline std::string mode_name(const ::testing::TestParamInfo<cgroup::Mode>& info) {
  return std::string(cgroup::name_of(info.param));
}

}  // namespace nacre::procfs
