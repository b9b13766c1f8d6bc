// SPDX-License-Identifier: Apache-2.0
#include "procfs/control/process_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nacre::procfs {
namespace {

using Json = nlohmann::json;

// Null where there is none.
const Json& member(const Json& json, const char* key) {
  static const Json kNone;
  const auto found = json.find(key);
  return found == json.end() ? kNone : *found;
}

}  // namespace

Result<ProcessState> parse_process_state(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return bad_input("no container process state: not a JSON object");
  const auto& fds = member(json, "fds");
  const auto& container = member(json, "state");
  if (!fds.is_array() || !member(json, "pid").is_number_integer() || !container.is_object())
    return bad_input("no container process state: it has fds, pid and state");
  const auto listener = std::ranges::find(fds, Json("seccompFd"));
  if (listener == fds.end()) return bad_input("container process state without a seccompFd");

  ProcessState state;
  if (const auto& id = member(container, "id"); id.is_string()) state.container = id.get<std::string>();
  state.listener = static_cast<std::size_t>(listener - fds.begin());
  return state;
}

}  // namespace nacre::procfs
