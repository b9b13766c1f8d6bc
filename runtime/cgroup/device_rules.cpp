// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <limits>

#include "runtime/cgroup/devices.h"

namespace nacre::runtime::devices {
namespace {

using spec::DeviceRule;

bool is_wildcard(const DeviceRule& rule) { return rule.type == "a"; }

bool has_access(const DeviceRule& rule, char letter) { return rule.access.find(letter) != std::string::npos; }

// Letters of `left` that are not (keep = false) or are (keep = true) in `right`.
std::string filter_access(const std::string& left, const std::string& right, bool keep) {
  std::string result;
  for (const char letter : left)
    if ((right.find(letter) != std::string::npos) == keep) result += letter;
  return result;
}

bool same_device(const DeviceRule& a, const DeviceRule& b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

bool overlaps(const DeviceRule& a, const DeviceRule& b) {
  const auto meet = [](const auto& x, const auto& y) { return !x || !y || *x == *y; };
  return a.type == b.type && meet(a.major, b.major) && meet(a.minor, b.minor) &&
         !filter_access(a.access, b.access, true).empty();
}

// What devices.allow and devices.deny say about a device: "c 1:3 rwm".
std::string v1_text(const DeviceRule& rule) {
  if (is_wildcard(rule)) return "a";
  const auto number = [](const auto& value) { return value ? std::to_string(*value) : "*"; };
  return rule.type + " " + number(rule.major) + ":" + number(rule.minor) + " " + rule.access;
}

Result<> check(const DeviceRule& rule) {
  const auto bad = [&](const char* why) {
    return bad_input("device rule \"" + describe(rule) + "\": " + why);
  };
  if (rule.type != "a" && rule.type != "b" && rule.type != "c") return bad("the type is a, b or c");
  if (rule.access.find_first_not_of("rwm") != std::string::npos)
    return bad("the access is made of r, w and m");
  for (const auto& number : {rule.major, rule.minor})
    if (number && (*number < 0 || *number > std::numeric_limits<std::int32_t>::max()))
      return bad("a device number is not negative and below 2^31");
  if (is_wildcard(rule) && (rule.major || rule.minor))
    return bad("type a means every device; give c or b with a number");
  return {};
}

}  // namespace

const std::vector<DeviceRule>& default_rules() {
  static const std::vector<DeviceRule> kRules{
      {true, "c", {}, {}, "m"}, {true, "b", {}, {}, "m"},    {true, "c", 1, 3, "rwm"},
      {true, "c", 1, 5, "rwm"}, {true, "c", 1, 7, "rwm"},    {true, "c", 1, 8, "rwm"},
      {true, "c", 1, 9, "rwm"}, {true, "c", 5, 0, "rwm"},    {true, "c", 5, 1, "rwm"},
      {true, "c", 5, 2, "rwm"}, {true, "c", 136, {}, "rwm"}, {true, "c", 10, 200, "rwm"},
  };
  return kRules;
}

std::string describe(const DeviceRule& rule) { return (rule.allow ? "allow " : "deny ") + v1_text(rule); }

Result<std::vector<DeviceRule>> complete(const std::vector<DeviceRule>& rules) {
  std::vector<DeviceRule> all;
  for (auto rule : rules) {
    // runtime-spec makes type and access optional: everything.
    if (rule.type.empty()) rule.type = "a";
    if (rule.access.empty()) rule.access = "rwm";
    TRY(check(rule));
    std::string access;
    for (const char letter : {'r', 'w', 'm'})
      if (has_access(rule, letter)) access += letter;
    rule.access = access;
    if (!is_wildcard(rule)) {
      all.push_back(rule);
    } else if (access == "rwm") {
      all = {rule};  // nothing before it counts
    } else {
      for (const auto* type : {"c", "b"}) all.push_back({rule.allow, type, {}, {}, access});
    }
  }
  std::ranges::copy(default_rules(), std::back_inserter(all));
  return all;
}

Result<std::vector<V1Write>> v1_writes(const std::vector<DeviceRule>& rules) {
  bool default_allow = false;
  std::vector<DeviceRule> exceptions;  // each says the opposite of the default
  for (const auto& rule : rules) {
    if (is_wildcard(rule)) {
      default_allow = rule.allow;
      exceptions.clear();
      continue;
    }
    if (rule.allow != default_allow) {
      const auto known =
          std::ranges::find_if(exceptions, [&](const auto& e) { return same_device(e, rule); });
      if (known == exceptions.end())
        exceptions.push_back(rule);
      else
        known->access += filter_access(rule.access, known->access, false);
      continue;
    }
    for (auto& exception : exceptions) {
      if (!overlaps(exception, rule)) continue;
      const bool covers =
          (!rule.major || rule.major == exception.major) && (!rule.minor || rule.minor == exception.minor);
      if (!covers)
        return bad_input("device rule \"" + describe(rule) + "\": cgroup v1 cannot take a part out of \"" +
                         describe(exception) + "\"; list what is left of that rule instead");
      exception.access = filter_access(exception.access, rule.access, false);
    }
    std::erase_if(exceptions, [](const auto& e) { return e.access.empty(); });
  }
  std::vector<V1Write> writes{{default_allow, "a"}};
  for (const auto& exception : exceptions) writes.push_back({exception.allow, v1_text(exception)});
  return writes;
}

}  // namespace nacre::runtime::devices
