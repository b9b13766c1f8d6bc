// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/control/protocol.h"

// What is needed of a container that another program has made.
namespace nacre::tool {

struct ViewOptions {
  bool physical_cpus = false;  // its CPUs keep the machine's numbers: the annotation org.nacre.cpus=physical
  bool nesting = false;        // it may hold containers: org.nacre.nesting=on, see runtime/annotations.h
};

// Of the container whose first process is `init`, a number in the pid namespace of /proc. nacre-procfs finds
// its cgroups: seen from a cgroup namespace they would have other names.
control::Registration registration_of(std::string id, pid_t init, const ViewOptions& options);

// Puts the view below `root`, as the calling process sees it; how many places have it now. Only over the
// kernel's own files: a mask, or somebody else's view, was put there on purpose. Symlinks stay below `root`.
Result<int> put_over_kernel_files(const std::vector<control::ViewMount>& mounts, const std::string& root,
                                  const ViewOptions& options);
// The view that this process has itself, for a container in its container, where no nacre-procfs can be
// asked: it is that of the container which is registered. Nothing where it has none.
Result<std::vector<control::ViewMount>> own_view();
// Where the view is, of a process, as that process names it.
Result<std::vector<std::string>> places_of_view(const std::string& process);
// What `nesting` asks for takes away what keeps the container's root from the machine's settings. So it is an
// error unless its user namespace maps nobody to root...
Result<> check_root_is_nobody(pid_t init);
// ...or nothing is over the /proc and /sys of the mount namespace, by its descriptor, that a process is in.
Result<> check_nesting(pid_t process, int mount_namespace);
// Takes away what `nesting` has added below the calling process's root.
void remove_uncovered();

}  // namespace nacre::tool
