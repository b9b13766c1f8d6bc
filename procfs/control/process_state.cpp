// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/process_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nacre::procfs {

Result<ProcessState> parse_process_state(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto is = [&](const char* key, auto kind) { return json.contains(key) && (json[key].*kind)(); };
  using Json = nlohmann::json;
  if (!json.is_object() || !is("fds", &Json::is_array) || !is("state", &Json::is_object) ||
      !is("pid", &Json::is_number_integer))
    return bad_input("no container process state: it has fds, pid and state");
  ProcessState state;
  state.process = json["pid"].get<pid_t>();
  if (const auto& id = json["state"]["id"]; id.is_string()) state.container = id.get<std::string>();
  const auto& names = json["fds"];
  const auto found = std::ranges::find(names, Json("seccompFd"));
  if (found == names.end()) return bad_input("container process state without a seccompFd");
  state.listener = static_cast<std::size_t>(found - names.begin());
  return state;
}

}  // namespace nacre::procfs
