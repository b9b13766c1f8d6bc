// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "base/unique_fd.h"
#include "tools/nacre/container/record.h"

namespace nacre::tool {

// A container's root file system: a FUSE mount that is attached nowhere (fsopen(2),
// fsmount(2)), served by a nacre-fs in the container's own fs cgroup. It ends when the
// last reference to the mount goes.
class RootMount {
 public:
  // Starts the server and waits until it answers. The error carries the server's own words.
  static Result<RootMount> create(const Record& record);

  int mount() const { return mount_.get(); }
  // Gives up our reference and waits for the server to finish what it still holds; after
  // `milliseconds` it is killed.
  void finish(int milliseconds);

 private:
  UniqueFd mount_;
  UniqueFd server_;  // pidfd
  pid_t server_pid_ = -1;
};

}  // namespace nacre::tool
