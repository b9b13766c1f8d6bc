// SPDX-License-Identifier: Apache-2.0
#include "runtime/state/json.h"

#include <nlohmann/json.hpp>

namespace nacre::runtime {
namespace {

using Json = nlohmann::ordered_json;

// A path need not be UTF-8; what is not is replaced instead of thrown about.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <typename T>
bool read(const Json& json, const char* key, T& out) {
  const auto found = json.find(key);
  if (found == json.end()) return true;
  if constexpr (std::is_same_v<T, bool>) {
    if (!found->is_boolean()) return false;
    out = found->template get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    if (!found->is_number_integer()) return false;
    out = found->template get<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return false;
    out = found->template get<std::string>();
  } else {
    if (!found->is_object()) return false;
    for (const auto& [name, value] : found->items()) {
      if (!value.is_string()) return false;
      out[name] = value.template get<std::string>();
    }
  }
  return true;
}

// Runs `with(key, member)` over every member but annotations, in the order of the file.
template <typename S, typename With>
void each_member(S& state, With with) {
  with("id", state.id);
  with("ociVersion", state.oci_version);
  with("bundle", state.bundle);
  with("rootfs", state.rootfs);
  with("cgroupPath", state.cgroup_path);
  with("owner", state.owner);
  with("pid", state.pid);
  with("startTicks", state.start_ticks);
  with("created", state.created);
  with("started", state.started);
  with("registeredView", state.registered_view);
  with("annotations", state.annotations);
}

}  // namespace

std::string format_state(const State& state) {
  Json json = Json::object();
  each_member(state, [&](const char* key, const auto& value) { json[key] = value; });
  return dump(json) + "\n";
}

Result<State> parse_state(std::string_view text) {
  const auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return bad_input("not a JSON object");
  State state;
  std::string wrong;
  each_member(state, [&](const char* key, auto& value) {
    if (!read(json, key, value) && wrong.empty()) wrong = key;
  });
  if (!wrong.empty()) return bad_input("\"" + wrong + "\" has the wrong type");
  return state;
}

std::string to_oci_json(const State& state, std::string_view status) {
  Json json = Json::object();
  json["ociVersion"] = state.oci_version;
  json["id"] = state.id;
  json["pid"] = status == "stopped" ? 0 : state.pid;
  json["status"] = status;
  json["bundle"] = state.bundle;
  json["rootfs"] = state.rootfs;
  json["created"] = state.created;
  json["annotations"] = Json::object();
  for (const auto& [key, value] : state.annotations) json["annotations"][key] = value;
  json["owner"] = state.owner;
  return dump(json);
}

}  // namespace nacre::runtime
