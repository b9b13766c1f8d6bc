// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "tools/nacre/view/foreign.h"

// The view for containers as another runtime starts them: an OCI hook of the stage createContainer (or
// createRuntime), or LXC's mount hook.
namespace nacre::tool {

// The container that a runtime is about to start.
struct StartingContainer {
  std::string id;
  pid_t init = 0;        // in the pid namespace of /proc
  std::string root;      // its root directory, absolute, where the init sees it
  std::string bundle{};  // of an OCI runtime
  ViewOptions options{};
};

// From the state that a runtime writes to a hook's standard input (OCI runtime-spec, "State") and from its
// bundle.
Result<StartingContainer> starting_oci_container(std::string_view state);
// From what LXC tells its hooks (lxc.container.conf(5), "CONTAINER HOOKS").
Result<StartingContainer> starting_lxc_container();

// Registers it with nacre-procfs, which must run, and puts the view over its /proc and /sys. In a container
// that has a view itself, where there is no nacre-procfs, it is given that one.
Result<> give_view(const StartingContainer& container);

}  // namespace nacre::tool
