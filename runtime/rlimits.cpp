// SPDX-License-Identifier: Apache-2.0
#include "runtime/rlimits.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>

namespace nacre::runtime::rlimits {
namespace {

struct Type {
  std::string_view name;
  __rlimit_resource resource;
};
constexpr std::array kTypes{
    Type{"RLIMIT_AS", RLIMIT_AS},
    Type{"RLIMIT_CORE", RLIMIT_CORE},
    Type{"RLIMIT_CPU", RLIMIT_CPU},
    Type{"RLIMIT_DATA", RLIMIT_DATA},
    Type{"RLIMIT_FSIZE", RLIMIT_FSIZE},
    Type{"RLIMIT_LOCKS", RLIMIT_LOCKS},
    Type{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    Type{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    Type{"RLIMIT_NICE", RLIMIT_NICE},
    Type{"RLIMIT_NOFILE", RLIMIT_NOFILE},
    Type{"RLIMIT_NPROC", RLIMIT_NPROC},
    Type{"RLIMIT_RSS", RLIMIT_RSS},
    Type{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    Type{"RLIMIT_RTTIME", RLIMIT_RTTIME},
    Type{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    Type{"RLIMIT_STACK", RLIMIT_STACK},
};

const Type* find(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &Type::name);
  return found == kTypes.end() ? nullptr : &*found;
}

std::string number(std::uint64_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

std::string describe(const spec::Rlimit& limit) {
  return limit.type + " (soft " + number(limit.soft) + ", hard " + number(limit.hard) + ")";
}

}  // namespace

Result<> validate(const std::vector<spec::Rlimit>& limits) {
  std::set<std::string_view> seen;
  for (const auto& limit : limits) {
    if (find(limit.type) == nullptr)
      return bad_input("unknown rlimit \"" + limit.type + "\"; types look like RLIMIT_NOFILE");
    if (!seen.insert(limit.type).second) return bad_input("rlimit " + limit.type + " is given twice");
    if (limit.soft > limit.hard) return bad_input("rlimit " + describe(limit) + ": soft is above hard");
  }
  return {};
}

Result<> apply(const std::vector<spec::Rlimit>& limits) {
  TRY(validate(limits));
  for (const auto& limit : limits) {
    const rlimit value{limit.soft, limit.hard};
    if (::setrlimit(find(limit.type)->resource, &value) == 0) continue;
    const int code = errno;
    auto text = "set rlimit " + describe(limit);
    rlimit now{};
    if (code == EPERM && ::getrlimit(find(limit.type)->resource, &now) == 0)
      text += " (the hard limit is " + number(now.rlim_max) +
              " and raising it needs CAP_SYS_RESOURCE, which nacre does not have here)";
    return fail(code, std::move(text));
  }
  return {};
}

void raise_hard(pid_t pid, const std::vector<spec::Rlimit>& limits) {
  for (const auto& limit : limits) {
    const auto* const type = find(limit.type);
    rlimit now{};
    if (type == nullptr || ::prlimit(pid, type->resource, nullptr, &now) != 0) continue;
    if (now.rlim_max >= limit.hard) continue;
    now.rlim_max = limit.hard;
    // Refused: apply() will be refused too, and says it.
    static_cast<void>(::prlimit(pid, type->resource, &now, nullptr));
  }
}

}  // namespace nacre::runtime::rlimits
