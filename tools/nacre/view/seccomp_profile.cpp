// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/view/seccomp_profile.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace nacre::tool {
namespace {

using Json = nlohmann::ordered_json;

// Rules are looked at in their order, and a call with a rule of its own must not have another one.
void remove_calls(Json& rules, const Json& calls) {
  const auto is_one = [&](const Json& name) { return std::ranges::find(calls, name) != calls.end(); };
  for (auto rule = rules.begin(); rule != rules.end();) {
    auto& names = (*rule)["names"];
    // docker's profiles once had one "name" in each rule.
    if (names.is_null() && rule->contains("name")) names = Json::array({(*rule)["name"]});
    rule->erase("name");
    if (names.is_array()) names.erase(std::remove_if(names.begin(), names.end(), is_one), names.end());
    rule = names.empty() ? rules.erase(rule) : rule + 1;
  }
}

}  // namespace

Result<std::string> with_view_calls(std::string_view profile, const std::string& listener, bool affinity) {
  auto json = Json::parse(profile, nullptr, false);
  if (!json.is_object() || !json.contains("defaultAction"))
    return bad_input("no seccomp profile: a JSON object with a defaultAction");
  if (json.contains("listenerPath"))
    return bad_input("the profile has a listener already, and a process can have only one");
  auto& rules = json["syscalls"];
  if (rules.is_null()) rules = Json::array();
  if (!rules.is_array() || !std::ranges::all_of(rules, [](const Json& rule) { return rule.is_object(); }))
    return bad_input("the profile's syscalls are no list of rules");
  auto calls = Json::array({"sysinfo"});
  if (affinity) calls.push_back("sched_getaffinity");
  remove_calls(rules, calls);
  rules.push_back({{"names", calls}, {"action", "SCMP_ACT_NOTIFY"}});
  json["listenerPath"] = listener;
  return json.dump(2) + "\n";
}

}  // namespace nacre::tool
