// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::sys {

// A small process that unmounts what this one has mounted when this one ends, however that
// happens: for one that gives up the right, and the view, to do so itself. A mount that has
// another one in its place by then is left alone.
class Unmounter {
 public:
  // Forks; call before any thread exists. The mount is live at `mountpoint`, an absolute path.
  static Result<Unmounter> start(const std::string& mountpoint);
  Unmounter(Unmounter&& other) noexcept
      : tell_(std::move(other.tell_)), process_(std::exchange(other.process_, 0)) {}
  Unmounter& operator=(Unmounter&&) = delete;
  ~Unmounter() { finish(); }

  // It was unmounted by somebody: there is nothing to do.
  void dismiss();
  // Unmounts now, and waits for the end of it.
  void finish();

 private:
  Unmounter(UniqueFd tell, pid_t process) : tell_(std::move(tell)), process_(process) {}
  UniqueFd tell_;
  pid_t process_ = 0;
};

}  // namespace nacre::sys
