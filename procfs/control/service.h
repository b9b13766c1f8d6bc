// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "base/control/message.h"
#include "procfs/registry.h"
#include "procfs/sysinfo/supervisor.h"

namespace nacre::procfs {

// What the requests of base/control/protocol.h do. Used by one thread.
class Service {
 public:
  // Opens what a registered container gets attached.
  using OpenMounts = std::function<Result<std::vector<control::ViewMount>>(const Container&)>;
  Service(Registry& registry, Supervisor& supervisor, OpenMounts open_mounts)
      : registry_(registry), supervisor_(supervisor), open_mounts_(std::move(open_mounts)) {}

  struct Reply {
    control::Answer answer;
    std::vector<UniqueFd> fds;
  };
  Reply handle(const control::Request& request, std::vector<UniqueFd> fds);
  // What an OCI runtime sends for a profile of `nacre seccomp-profile`. The container is the one that is
  // registered by that id, else that of whoever calls.
  Result<> take_process_state(std::string_view text, std::vector<UniqueFd> fds);

  bool unused() { return registry_.size() == 0 && !supervisor_.listens(); }

 private:
  Result<Reply> perform(const control::Request& request, std::vector<UniqueFd> fds);
  Result<Reply> hand_out(const Container& container);
  Result<Reply> add(const control::Registration& registration);
  Result<Reply> add_listener(std::string_view id, std::vector<UniqueFd> fds);
  Result<Reply> status() const;

  Registry& registry_;
  Supervisor& supervisor_;
  OpenMounts open_mounts_;
};

}  // namespace nacre::procfs
