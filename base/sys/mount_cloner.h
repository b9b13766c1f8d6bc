// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sys {

// Clones mounts of our own file system, in a process of its own. Whoever waits for an answer that somebody
// has begun to make cannot be killed (kernel: fs/fuse/dev.c, request_wait_answer). A daemon that asked itself
// and was killed then would neither answer nor end, and so never be replaced; this process waits for whoever
// answers next, and ends when the daemon does.
class MountCloner {
 public:
  struct Wanted {
    std::string path;  // from the directory on
    bool writable = false;
  };

  // `root` is the mounted file system. Before any thread is started. The process has CAP_SYS_ADMIN alone, no
  // descriptor of the daemon's but `root`, and only the system calls that it takes.
  static Result<MountCloner> start(int root);
  // Detached mounts of these files in `directory`, which lies below the root, in their order. For one thread
  // at a time; others must serve the file system. ECONNRESET: the process has ended.
  Result<std::vector<UniqueFd>> clone(const std::string& directory, const std::vector<Wanted>& wanted);

 private:
  explicit MountCloner(UniqueFd socket) : socket_(std::move(socket)) {}
  UniqueFd socket_;
};

}  // namespace nacre::sys
