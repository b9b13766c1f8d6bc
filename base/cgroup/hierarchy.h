// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Where the cgroup hierarchies of this machine are. Mount points are read from mountinfo,
// never assumed (cgroups(7); Documentation/admin-guide/cgroup-v2.rst).
namespace nacre::cgroup {

enum class Mode {
  none,     // no cgroup file system mounted
  legacy,   // v1 only
  hybrid,   // v1 hierarchies and a v2 mount beside them
  unified,  // v2 only
};
std::string_view name_of(Mode mode);

struct Hierarchy {
  std::string mountpoint;
  std::string root;                      // the cgroup that the mount point shows, "/" normally
  std::vector<std::string> controllers;  // v1: those of the mount, "name=x" included; v2: cgroup.controllers
  bool v2 = false;

  // The directory of a cgroup given by its path in the hierarchy ("/nacre/abc").
  std::string directory(std::string_view path) const;
};

class Hierarchies {
 public:
  // What this process sees: /proc/self/mountinfo and the v2 root's cgroup.controllers.
  // `fake_root` is put before every path (tests with a fake tree).
  static Result<Hierarchies> detect(const std::string& fake_root = "");
  // Pure part: mountinfo text and the v2 controllers.
  static Result<Hierarchies> from_mountinfo(std::string_view mountinfo);

  Mode mode() const;
  const std::vector<Hierarchy>& all() const { return hierarchies_; }
  std::vector<std::string> mountpoints() const;
  // The hierarchy a controller ("memory") is attached to; nullptr when it is nowhere.
  const Hierarchy* of(std::string_view controller) const;
  // The v2 mount; nullptr without one.
  const Hierarchy* v2() const;

 private:
  std::vector<Hierarchy> hierarchies_;
};

// One line of /proc/PID/cgroup: "4:memory:/a" or "0::/a" (v2, no controllers).
struct Membership {
  std::vector<std::string> controllers;
  std::string path;
};
Result<std::vector<Membership>> parse_memberships(std::string_view text);

// The path in the hierarchy of `controller`, or of v2 when it is empty or not on v1.
Result<std::string> path_for(const std::vector<Membership>& memberships, std::string_view controller);

}  // namespace nacre::cgroup
