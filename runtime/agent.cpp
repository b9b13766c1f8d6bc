// SPDX-License-Identifier: Apache-2.0
#include "runtime/agent.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/sys/socket.h"

namespace nacre::runtime {

Result<> send_to_agent(const spec::Seccomp& seccomp, int listener, pid_t pid, const std::string& state) {
  if (seccomp.listener_path.empty())
    return bad_input("linux.seccomp uses SCMP_ACT_NOTIFY and has no listenerPath");
  const auto agent = TRY(during("seccomp agent", sys::connect_stream(seccomp.listener_path)));
  const auto embedded = nlohmann::json::parse(state, nullptr, false);
  nlohmann::ordered_json message{
      {"ociVersion", embedded.value("ociVersion", "1.0.0")}, {"fds", {"seccompFd"}}, {"pid", pid}};
  if (!seccomp.listener_metadata.empty()) message["metadata"] = seccomp.listener_metadata;
  message["state"] = embedded;
  const std::array fds{listener};
  return during("seccomp agent", sys::send_message(agent.get(), message.dump(), fds));
}

}  // namespace nacre::runtime
