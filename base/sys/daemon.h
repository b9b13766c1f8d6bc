// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sys {

// A process that goes on in the background while its caller waits until it is of use.
class Daemon {
 public:
  // Forks. The parent does not return: it exits 0 once the child calls ready(), or with the
  // child's own exit status (never 0) if it ends before. The child returns, in a session of
  // its own, with the caller's standard error for what may go wrong. Call before any thread
  // exists.
  static Result<Daemon> split();

  // Lets the parent exit, and lets go of the caller's working directory, standard input,
  // output and error. From any thread; the second call does nothing.
  void ready();

 private:
  Daemon(UniqueFd tell, UniqueFd null) : tell_(std::move(tell)), null_(std::move(null)) {}
  UniqueFd tell_;
  UniqueFd null_;  // /dev/null, which may be out of reach later
};

}  // namespace nacre::sys
