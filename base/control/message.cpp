// SPDX-License-Identifier: Apache-2.0
#include "base/control/message.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

namespace nacre::control {
namespace {

using Json = nlohmann::json;

struct OperationName {
  Operation operation;
  std::string_view name;
};
constexpr std::array kOperations{
    OperationName{Operation::hello, "hello"},         OperationName{Operation::add, "add"},
    OperationName{Operation::add_listener, "listen"}, OperationName{Operation::remove, "remove"},
    OperationName{Operation::status, "status"},
};

// Bytes that are not UTF-8 are replaced rather than thrown at.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<Json> object_from(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return bad_input("malformed control message: not a JSON object");
  return json;
}

std::unexpected<Error> wrong(const char* key) {
  return bad_input(std::string("malformed control message: bad \"") + key + "\"");
}

template <typename Int>
Result<Int> integer(const Json& json, const char* key, Int otherwise) {
  const auto found = json.find(key);
  if (found == json.end()) return otherwise;
  if (found->is_number_unsigned()) {
    const auto value = found->template get<std::uint64_t>();
    if (std::cmp_less_equal(value, std::numeric_limits<Int>::max())) return static_cast<Int>(value);
  } else if (found->is_number_integer()) {
    const auto value = found->template get<std::int64_t>();
    if (std::in_range<Int>(value)) return static_cast<Int>(value);
  }
  return wrong(key);
}

Result<std::string> string(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::string();
  if (!found->is_string()) return wrong(key);
  auto value = found->get<std::string>();
  if (value.find('\0') != std::string::npos) return wrong(key);
  return value;
}

Result<bool> boolean(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return false;
  if (!found->is_boolean()) return wrong(key);
  return found->get<bool>();
}

Result<Registration> registration_from(const Json& json) {
  Registration registration;
  registration.id = TRY(string(json, "id"));
  registration.init = TRY(integer<pid_t>(json, "init", 0));
  registration.cgroup_path = TRY(string(json, "cgroup"));
  registration.boottime_offset = TRY(integer<std::int64_t>(json, "boottime_offset", 0));
  registration.own_time_namespace = TRY(boolean(json, "own_time_namespace"));
  registration.physical_cpus = TRY(boolean(json, "physical_cpus"));
  registration.again = TRY(boolean(json, "again"));
  return registration;
}

}  // namespace

std::string encode(const Request& request) {
  Json json;
  json["op"] = std::ranges::find(kOperations, request.operation, &OperationName::operation)->name;
  if (request.operation == Operation::hello) json["version"] = request.version;
  const auto& registration = request.registration;
  if (!registration.id.empty()) json["id"] = registration.id;
  if (request.operation == Operation::add) {
    json["init"] = registration.init;
    json["cgroup"] = registration.cgroup_path;
    json["boottime_offset"] = registration.boottime_offset;
    json["own_time_namespace"] = registration.own_time_namespace;
    json["physical_cpus"] = registration.physical_cpus;
    if (registration.again) json["again"] = true;
  }
  return text_of(json);
}

Result<Request> decode_request(std::string_view text) {
  const auto json = TRY(object_from(text));
  const auto name = TRY(string(json, "op"));
  const auto known = std::ranges::find(kOperations, name, &OperationName::name);
  if (known == kOperations.end())
    return bad_input("unknown control operation \"" + name.substr(0, 40) + "\"");
  Request request;
  request.operation = known->operation;
  request.version = TRY(integer<int>(json, "version", 0));
  request.registration = TRY(registration_from(json));
  return request;
}

std::string encode(const Answer& answer) {
  Json json;
  json["version"] = answer.version;
  if (answer.error) {
    json["errno"] = answer.error->code;
    json["error"] = answer.error->context;
  } else {
    if (!answer.targets.empty()) json["targets"] = answer.targets;
    if (answer.status.pid != 0) {
      json["pid"] = answer.status.pid;
      json["containers"] = answer.status.containers;
      json["descriptors"] = answer.status.descriptors;
    }
  }
  return text_of(json);
}

Result<Answer> decode_answer(std::string_view text) {
  const auto json = TRY(object_from(text));
  Answer answer;
  answer.version = TRY(integer<int>(json, "version", 0));
  if (const int code = TRY(integer<int>(json, "errno", 0)); code != 0)
    answer.error = Error{code, TRY(string(json, "error"))};
  if (const auto targets = json.find("targets"); targets != json.end()) {
    if (!targets->is_array()) return wrong("targets");
    for (const auto& target : *targets) {
      if (!target.is_string()) return wrong("targets");
      answer.targets.push_back(target.get<std::string>());
    }
  }
  answer.status.pid = TRY(integer<pid_t>(json, "pid", 0));
  answer.status.containers = TRY(integer<std::uint64_t>(json, "containers", 0));
  answer.status.descriptors = TRY(integer<std::uint64_t>(json, "descriptors", 0));
  return answer;
}

bool valid_id(std::string_view id) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-";
  return !id.empty() && id.size() <= 255 && id.front() != '.' &&
         id.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace nacre::control
