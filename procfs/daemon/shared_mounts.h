// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "base/sys/mount_cloner.h"
#include "base/unique_fd.h"

namespace nacre::procfs {

// The files for whoever asks, where lxcfs has its own: DIR/proc and DIR/sys in the mount namespace that the
// daemon was started from, for engines and hooks that bind them into containers. The files of registered
// containers are not among them. They go when this object does.
class SharedMounts {
 public:
  // `outside` is that mount namespace. What a daemon that was killed has left there is taken away.
  static Result<SharedMounts> attach(UniqueFd outside, sys::MountCloner& cloner, std::string directory);
  // Those that a predecessor has attached, and that go on.
  static SharedMounts adopt(UniqueFd outside, std::string directory) {
    return SharedMounts(std::move(outside), std::move(directory));
  }
  // They are a successor's from here on.
  void leave() { outside_.reset(); }
  SharedMounts() = default;
  SharedMounts(SharedMounts&&) = default;
  SharedMounts& operator=(SharedMounts&&) = default;
  ~SharedMounts();

 private:
  SharedMounts(UniqueFd outside, std::string directory)
      : outside_(std::move(outside)), directory_(std::move(directory)) {}
  UniqueFd outside_;
  std::string directory_;
};

}  // namespace nacre::procfs
