// SPDX-License-Identifier: Apache-2.0
#include "runtime/seccomp/default_profile.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "runtime/seccomp/default_rules.h"

namespace nacre::runtime::seccomp {
namespace {

constexpr const char* kAllow = "SCMP_ACT_ALLOW";
constexpr const char* kErrno = "SCMP_ACT_ERRNO";

// This architecture and those whose programs it can run.
std::vector<std::string> architectures() {
#if defined(__x86_64__)
  return {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
  return {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#else
  return {};
#endif
}

spec::SeccompSyscall to_rule(const ArgumentRule& rule) {
  spec::SeccompSyscall result{
      .names = {std::string(rule.name)}, .action = kAllow, .errno_ret = {}, .args = {}};
  if (rule.refused_with != 0) {
    result.action = kErrno;
    result.errno_ret = static_cast<unsigned>(rule.refused_with);
  }
  result.args.push_back(
      {.index = rule.argument, .value = rule.mask, .value_two = rule.value, .op = "SCMP_CMP_MASKED_EQ"});
  return result;
}

// Audit messages of a container without CAP_AUDIT_WRITE are refused by the kernel when they are
// sent, and PAM (su, cron, sshd) takes that for a failed login. When it cannot even open the socket,
// it goes on without auditing.
void add_netlink(bool audit, std::vector<spec::SeccompSyscall>& rules) {
  constexpr std::uint64_t kNetlink = 16, kAudit = 9, kInt = 0xffffffff;
  const spec::SeccompArg family{.index = 0, .value = kInt, .value_two = kNetlink, .op = "SCMP_CMP_MASKED_EQ"};
  if (audit) {
    rules.push_back({{"socket"}, kAllow, {}, {family}});
    return;
  }
  rules.push_back({{"socket"}, kAllow, {}, {family, {2, kAudit, 0, "SCMP_CMP_NE"}}});
  rules.push_back({{"socket"}, kErrno, EINVAL, {family, {2, kAudit, 0, "SCMP_CMP_EQ"}}});
}

std::vector<std::string> strings(auto names) { return {names.begin(), names.end()}; }

bool holds(const std::vector<std::string>& held, std::string_view name) {
  return std::ranges::find(held, name) != held.end();
}

}  // namespace

spec::Seccomp default_profile(const std::vector<std::string>& capabilities, bool nesting) {
  spec::Seccomp profile;
  profile.default_action = kErrno;
  profile.default_errno_ret = ENOSYS;
  profile.architectures = architectures();

  auto allowed = strings(always_allowed());
  auto refused = strings(always_refused());
  for (const auto& group : capability_groups()) {
    const bool held =
        std::ranges::any_of(group.capabilities, [&](auto name) { return holds(capabilities, name); });
    auto& list = held ? allowed : refused;
    list.insert(list.end(), group.names.begin(), group.names.end());
  }
  const bool namespaces = nesting || holds(capabilities, "CAP_SYS_ADMIN");
  auto& list = namespaces ? allowed : refused;
  list.insert(list.end(), namespace_calls().begin(), namespace_calls().end());
  if (namespaces) allowed.insert(allowed.end(), {"clone", "clone3"});
  profile.syscalls.push_back({std::move(allowed), kAllow, {}, {}});
  profile.syscalls.push_back({std::move(refused), kErrno, EPERM, {}});
  if (!namespaces) {
    for (const auto& rule : clone_rules()) profile.syscalls.push_back(to_rule(rule));
    // Its flags are behind a pointer, which a filter cannot follow: libc falls back to clone.
    profile.syscalls.push_back({{"clone3"}, kErrno, ENOSYS, {}});
  }
  for (const auto& rule : argument_rules()) profile.syscalls.push_back(to_rule(rule));
  add_netlink(holds(capabilities, "CAP_AUDIT_WRITE"), profile.syscalls);
  return profile;
}

}  // namespace nacre::runtime::seccomp
