// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/control/message.h"
#include "procfs/registry.h"
#include "procfs/sysinfo/supervisor.h"
#include "procfs/view_mounts.h"

namespace nacre::procfs {

// What the requests of base/control/protocol.h do. Used by one thread.
class Service {
 public:
  Service(Registry& registry, Supervisor& supervisor, ViewMounts& mounts)
      : registry_(registry), supervisor_(supervisor), mounts_(mounts) {}

  struct Reply {
    control::Answer answer;
    std::vector<UniqueFd> fds;
  };
  Reply handle(const control::Request& request, std::vector<UniqueFd> fds);
  // What an OCI runtime sends for a profile of `nacre seccomp-profile`. The container is the one that is
  // registered by that id, else that of whoever calls.
  Result<> take_process_state(std::string_view text, std::vector<UniqueFd> fds);

  // What makes the next registration a short one (ViewMounts): to be called from time to time, and when that
  // is readable, if it is a descriptor.
  void work_ahead() { mounts_.work_ahead(); }
  int work_ahead_when() const { return mounts_.descriptor(); }

  bool unused() { return registry_.size() == 0 && !supervisor_.listens(); }

 private:
  Result<Reply> perform(const control::Request& request, std::vector<UniqueFd> fds);
  Result<Reply> hand_out(const Container& container);
  Result<Reply> add(const control::Registration& registration);
  Result<Reply> add_listener(std::string_view id, std::vector<UniqueFd> fds);
  Result<Reply> status() const;

  Registry& registry_;
  Supervisor& supervisor_;
  ViewMounts& mounts_;
};

}  // namespace nacre::procfs
