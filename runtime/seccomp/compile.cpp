// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "runtime/seccomp/filter.h"
#include "runtime/seccomp/program.h"

namespace nacre::runtime::seccomp {
namespace {

constexpr unsigned kLargestErrno = 4095;

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};

template <typename Table>
auto find_named(const Table& table, std::string_view name) -> const typename Table::value_type* {
  const auto found = std::ranges::find(table, name, &Table::value_type::name);
  return found == table.end() ? nullptr : &*found;
}

constexpr std::array kOperators{
    Named<Compare>{"SCMP_CMP_NE", Compare::ne},
    Named<Compare>{"SCMP_CMP_LT", Compare::lt},
    Named<Compare>{"SCMP_CMP_LE", Compare::le},
    Named<Compare>{"SCMP_CMP_EQ", Compare::eq},
    Named<Compare>{"SCMP_CMP_GE", Compare::ge},
    Named<Compare>{"SCMP_CMP_GT", Compare::gt},
    Named<Compare>{"SCMP_CMP_MASKED_EQ", Compare::masked_eq},
};

constexpr std::array kFlags{
    Named<unsigned>{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    Named<unsigned>{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    Named<unsigned>{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    Named<unsigned>{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

Result<std::uint32_t> answer_of(const std::string& name, std::optional<unsigned> errno_ret) {
  const auto value = errno_ret.value_or(EPERM);
  if (value > kLargestErrno)
    return bad_input("seccomp: errnoRet " + std::to_string(value) + " is above " +
                     std::to_string(kLargestErrno));
  if (name == "SCMP_ACT_ERRNO") return SECCOMP_RET_ERRNO | value;
  if (name == "SCMP_ACT_TRACE") return SECCOMP_RET_TRACE | value;
  static constexpr std::array kActions{
      Named<std::uint32_t>{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
      Named<std::uint32_t>{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
      Named<std::uint32_t>{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
      Named<std::uint32_t>{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
      Named<std::uint32_t>{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW},
      Named<std::uint32_t>{"SCMP_ACT_LOG", SECCOMP_RET_LOG},
      Named<std::uint32_t>{"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
  };
  const auto* action = find_named(kActions, name);
  if (action == nullptr) return bad_input("seccomp: unknown action \"" + name + "\"");
  return action->value;
}

Result<Condition> condition_of(const spec::SeccompArg& arg, const std::string& syscall) {
  const auto* op = find_named(kOperators, arg.op);
  if (op == nullptr)
    return bad_input("seccomp rule for " + syscall + ": unknown operator \"" + arg.op + "\"");
  if (arg.index > 5)
    return bad_input("seccomp rule for " + syscall + ": argument " + std::to_string(arg.index) +
                     " does not exist, the last one is 5");
  return Condition{arg.index, op->value, arg.value, arg.value_two};
}

// A profile joins the conditions of a rule by "and", but for several on one argument, which are
// alternatives: then each is a rule of its own, as in runc and crun.
Result<Rules> rules_of(const spec::SeccompSyscall& from, const std::string& syscall, std::uint32_t answer) {
  std::vector<Condition> conditions;
  std::set<unsigned> arguments;
  for (const auto& arg : from.args) {
    conditions.push_back(TRY(condition_of(arg, syscall)));
    arguments.insert(arg.index);
  }
  if (arguments.size() == conditions.size()) return Rules{{answer, std::move(conditions)}};
  Rules rules;
  for (const auto& condition : conditions) rules.push_back({answer, {condition}});
  return rules;
}

// Rules without conditions win over those with, whatever their order, and the first of several
// without wins, as with libseccomp: podman's profile says two things about setns(2).
void add_rule(Rules& rules, const Rule& rule) {
  const bool settled = !rules.empty() && rules.back().conditions.empty();
  if (settled) return;
  if (rule.conditions.empty()) rules.clear();
  rules.push_back(rule);
}

void add_call(CallTable& table, Architecture architecture, const std::string& syscall, const Rules& rules) {
  for (const auto& entry : entries_of(syscall, architecture)) {
    for (auto rule : rules) {
      if (entry.operation) {
        // The call's own arguments are behind a pointer there: conditions on them cannot be checked.
        if (!rule.conditions.empty()) continue;
        rule.conditions.push_back({0, Compare::masked_eq, 0xffff, *entry.operation});
      }
      add_rule(table[entry.number], rule);
    }
  }
}

Result<> add_rules(FilterTables& filter, const spec::SeccompSyscall& from) {
  const auto answer = TRY(answer_of(from.action, from.errno_ret));
  for (const auto& syscall : from.names) {
    if (answer == SECCOMP_RET_USER_NOTIF && syscall == "write")
      return bad_input(
          "seccomp: write cannot be SCMP_ACT_NOTIFY; the runtime needs it to start the container");
    const auto rules = TRY(rules_of(from, syscall, answer));
    if (answer == filter.default_answer || !is_known(syscall)) continue;
    for (auto& [architecture, table] : filter.tables) add_call(table, architecture, syscall, rules);
  }
  return {};
}

}  // namespace

Result<std::vector<sock_filter>> compile(const spec::Seccomp& profile) {
  FilterTables filter;
  filter.default_answer = TRY(answer_of(profile.default_action, profile.default_errno_ret));
  if (filter.default_answer == SECCOMP_RET_USER_NOTIF)
    return bad_input("seccomp: SCMP_ACT_NOTIFY cannot be the default action");
  TRY(flags_of(profile));
  filter.foreign_answer = SECCOMP_RET_KILL_THREAD;
  filter.tables[native_architecture()];
  for (const auto& name : profile.architectures) filter.tables[TRY(architecture_of(name))];
  for (const auto& rule : profile.syscalls) TRY(add_rules(filter, rule));

  auto program = assemble(filter);
  if (program.size() > BPF_MAXINSNS)
    return bad_input("seccomp: the profile needs " + std::to_string(program.size()) +
                     " instructions, the kernel takes " + std::to_string(BPF_MAXINSNS) +
                     "; give it fewer rules or architectures");
  return program;
}

bool uses_notify(const spec::Seccomp& profile) {
  return std::ranges::any_of(profile.syscalls,
                             [](const auto& rule) { return rule.action == "SCMP_ACT_NOTIFY"; });
}

Result<unsigned> flags_of(const spec::Seccomp& profile) {
  unsigned flags = 0;
  for (const auto& name : profile.flags) {
    const auto* flag = find_named(kFlags, name);
    if (flag == nullptr) return bad_input("seccomp: unknown flag \"" + name + "\"");
    flags |= flag->value;
  }
  if (uses_notify(profile)) {
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // With both, the return value could not tell a thread's id from a descriptor.
    if ((flags & SECCOMP_FILTER_FLAG_TSYNC) != 0) flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  } else if ((flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) != 0) {
    return bad_input("seccomp: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY");
  }
  return flags;
}

}  // namespace nacre::runtime::seccomp
