// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/cgroup/hierarchy.h"
#include "base/parse.h"
#include "base/sys/file.h"
#include "tests/support/temp_dir.h"

namespace nacre::runtime {

// A cgroup tree of ordinary files. The kernel's files do not appear by themselves in a new
// directory: a test lists those it needs beforehand with group().
class FakeTree {
 public:
  // `v1` names the controllers, each mounted on its own; `v2` those of the v2 mount. Without `with_v2`
  // there is none.
  FakeTree(std::vector<std::string> v1, const std::string& v2, bool with_v2 = true) {
    std::string mountinfo = "1 0 0:1 / / rw - tmpfs none rw\n";
    const auto add = [&](const std::string& place, const std::string& type, const std::string& options) {
      mountinfo += "2 1 0:2 / /sys/fs/cgroup" + place + " rw - " + type + " cgroup rw" + options + "\n";
      static_cast<void>(sys::make_directories(root_ / ("sys/fs/cgroup" + place)));
    };
    for (const auto& controller : v1) add("/" + controller, "cgroup", "," + controller);
    v2_place_ = v1.empty() ? "" : "/unified";
    if (with_v2) {
      add(v2_place_, "cgroup2", "");
      write(v2_place_ + "/cgroup.controllers", v2);
      write(v2_place_ + "/cgroup.subtree_control", "");
    }
    static_cast<void>(sys::make_directories(root_ / "proc/self"));
    static_cast<void>(sys::create_file(root_ / "proc/self/mountinfo", mountinfo));
  }

  cgroup::Hierarchies hierarchies() const { return *cgroup::Hierarchies::detect(root_.path()); }

  // Paths are below /sys/fs/cgroup: "/memory/a/memory.limit_in_bytes".
  void write(const std::string& path, const std::string& text) {
    const auto full = root_ / ("sys/fs/cgroup" + path);
    static_cast<void>(sys::make_directories(full.substr(0, full.rfind('/'))));
    static_cast<void>(sys::create_file(full, text));
  }
  void group(const std::string& directory, const std::vector<std::string>& files) {
    for (const auto& file : files) write(directory + "/" + file, "");
  }
  std::string read(const std::string& path) const {
    return sys::read_file(root_ / ("sys/fs/cgroup" + path)).value_or("(missing)");
  }
  bool exists(const std::string& path) const { return sys::exists(root_ / ("sys/fs/cgroup" + path)); }

 private:
  test::TempDir root_;
  std::string v2_place_;
};

}  // namespace nacre::runtime
