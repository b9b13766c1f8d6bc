// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/doctor/attempt.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace nacre::tool::doctor {

int in_child(int (*attempt)()) {
  const pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) ::_exit(attempt());
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return EIO;
  return WEXITSTATUS(status);
}

}  // namespace nacre::tool::doctor
