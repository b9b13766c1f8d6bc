// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/cgroup/hierarchy.h"
#include "base/result.h"
#include "runtime/spec/spec.h"

namespace nacre::runtime {

// Where the cgroups of containers go that are not told otherwise, in every hierarchy:
// $NACRE_CGROUP_PARENT, or /nacre.
std::string cgroup_parent();

// A container's cgroup: one path ("/nacre/abc"), the same in every hierarchy of the machine, so
// that v1, hybrid and v2 look alike to callers. Nothing outside of the path is ever changed,
// but for parents that have to be made and the v2 controllers that have to be enabled in them.
// Rules: runtime-spec config-linux.md "Control groups"; kernel admin-guide/cgroup-v1, cgroup-v2.
//
// Not thread safe; several managers may be open on the same path.
class CgroupManager {
 public:
  // Makes `path` in every hierarchy and writes the limits. An existing directory is used as it
  // is; one that holds processes is EBUSY. On failure every directory made here is gone again.
  // A limit the kernel refuses is an error that names the limit, the file and the way out.
  // `claim` is called when the path is known to be nobody else's, before anything is made
  // there: the moment to write down whose it is.
  static Result<CgroupManager> create(const cgroup::Hierarchies& hierarchies, std::string path,
                                      const spec::Resources& resources,
                                      const std::function<Result<>()>& claim = {});
  // A cgroup made before. It need not exist any more: then it has no processes and remove()
  // succeeds.
  static Result<CgroupManager> open(const cgroup::Hierarchies& hierarchies, std::string path);

  // Writes the limits that `resources` has; others stay as they are.
  Result<> apply(const spec::Resources& resources);
  // Moves a process (all its threads) into the cgroup, in every hierarchy. A v2 cgroup that has
  // given controllers to those below takes none itself (EBUSY): then it goes where `companion`
  // is, if that is below.
  Result<> join(pid_t pid, pid_t companion = 0);
  // The cgroup.procs file of every hierarchy, for a child that moves itself.
  std::vector<std::string> procs_files() const;

  // Every process in the cgroup and below, sorted, in this process's pid namespace.
  Result<std::vector<pid_t>> pids() const;
  // Signals every process in the cgroup and below. SIGKILL wins over freezing, and returns only
  // when all of them are gone from the cgroup, or ETIMEDOUT after ten seconds.
  Result<> kill_all(int signal);
  // Removes the cgroup and those below it in every hierarchy, and cgroup_parent() when this was
  // the last one in it; other parents stay. EBUSY when processes are still in it after two
  // seconds. A missing cgroup is success.
  Result<> remove();

  // Whether the kernel has killed a process here or below because memory ran out.
  Result<bool> oom_killed() const;
  // Stops or continues every process; returns when the kernel says that it is done.
  // ENOTSUP when the machine has neither a v1 freezer nor v2.
  Result<> freeze(bool frozen);
  Result<bool> frozen() const;

  const std::string& path() const { return path_; }

 private:
  CgroupManager(cgroup::Hierarchies hierarchies, std::string path);

  Result<> make(const spec::Resources& resources, std::vector<std::string>& made);
  Result<> apply_devices(const std::vector<spec::DeviceRule>& rules);
  Result<> kill_by_signal(int signal);
  std::vector<std::string> directories() const;
  Result<std::string> procs_file_of(pid_t companion) const;

  cgroup::Hierarchies hierarchies_;
  std::string path_;
};

}  // namespace nacre::runtime
