// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "base/control/protocol.h"
#include "base/sys/mount_cloner.h"
#include "procfs/registry.h"

namespace nacre::procfs {

// Detached mounts of containers' files. Cloning them is most of what a registration takes, so those of the
// containers that come next are cloned while nobody waits: a container's number, which its files are known
// by, is reserved before there is the container. For one thread.
class ViewMounts {
 public:
  // Both outlive it.
  ViewMounts(sys::MountCloner& cloner, Registry& registry) : cloner_(cloner), registry_(registry) {}

  // The number that a container to be registered should have, for open() to have mounts of it.
  ContainerNumber next_number();
  // One for each thing to attach.
  Result<std::vector<control::ViewMount>> open(const Container& container);

  // Goes on with what is cloned ahead, and waits for nothing but a helper's start, if the one before has
  // ended: to be called from time to time, and when descriptor() is readable.
  void work_ahead();
  int descriptor() const { return begun_ == 0 ? -1 : cloner_.descriptor(); }

 private:
  struct Ahead {
    ContainerNumber number = 0;
    std::vector<UniqueFd> mounts;
  };
  bool has(ContainerNumber number) const { return !ahead_.empty() && ahead_.front().number == number; }
  void begin();
  void finish();

  sys::MountCloner& cloner_;
  Registry& registry_;
  std::deque<Ahead> ahead_;
  ContainerNumber begun_ = 0;  // whose mounts are being cloned; 0 for none
  // Whether somebody has needed mounts since the start, or since some could not be cloned. A daemon that
  // nobody asks has none to let go of when it ends, which takes the kernel a while, and its successor waits
  // for that.
  bool wanted_ = false;
};

}  // namespace nacre::procfs
