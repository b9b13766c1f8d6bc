// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cgroup/hierarchy.h"
#include "base/result.h"

namespace nacre::procfs {

// Where one kind of number of a container is read from.
struct Place {
  bool v2 = false;
  // The container's own directory; empty when this controller does not know the container.
  std::string own;
  // Directories that have the controller's files: the container's (when not empty) and its
  // ancestors, nearest first, without the hierarchy's root, which has no limits.
  std::vector<std::string> levels;

  bool operator==(const Place&) const = default;
};

// Found when a container becomes known: afterwards a missing file is a failure and not a missing source,
// unless a v2 cgroup got a controller since or lost it, as the first limit is set below its parent or the
// last one goes (cgroup-v2.rst, Enabling and Disabling).
struct Places {
  std::optional<Place> memory, quota, cpuset, usage, io, hugetlb;
  std::string tasks;      // the directory whose threads are the container's
  bool tasks_v2 = false;  // v1 and v2 list them in files of other names
  std::string pressure;   // its directory in v2, which alone has pressure files; empty without one

  // Every directory of the container itself.
  std::vector<std::string> own_directories() const;
  bool operator==(const Places&) const = default;
  // Is there a v2 cgroup that may get a controller?
  bool may_grow() const;
  // Without those that cgroups lost. A cgroup that is gone has lost none.
  Places without_lost_controllers() const;
};

// Finds a container's cgroup in the hierarchies: by one path in all of them, or by the
// memberships of one of its processes. ENOENT when it is in none. What is `known` of it stays, and that is
// added which has come since.
Result<Places> locate(const cgroup::Hierarchies& hierarchies, std::string_view path, Places known = {});
Result<Places> locate(const cgroup::Hierarchies& hierarchies,
                      const std::vector<cgroup::Membership>& memberships, Places known = {});

}  // namespace nacre::procfs
