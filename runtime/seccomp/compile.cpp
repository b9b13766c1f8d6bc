// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>
#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "base/sys/file.h"
#include "runtime/seccomp/filter.h"

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
    Named<scmp_compare>{"SCMP_CMP_NE", SCMP_CMP_NE}, Named<scmp_compare>{"SCMP_CMP_LT", SCMP_CMP_LT},
    Named<scmp_compare>{"SCMP_CMP_LE", SCMP_CMP_LE}, Named<scmp_compare>{"SCMP_CMP_EQ", SCMP_CMP_EQ},
    Named<scmp_compare>{"SCMP_CMP_GE", SCMP_CMP_GE}, Named<scmp_compare>{"SCMP_CMP_GT", SCMP_CMP_GT},
    Named<scmp_compare>{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

constexpr std::array kFlags{
    Named<unsigned>{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    Named<unsigned>{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    Named<unsigned>{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    Named<unsigned>{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

Result<std::uint32_t> action_of(const std::string& name, std::optional<unsigned> errno_ret) {
  const auto value = errno_ret.value_or(EPERM);
  if (value > kLargestErrno)
    return bad_input("seccomp: errnoRet " + std::to_string(value) + " is above " + std::to_string(kLargestErrno));
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(value);
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(value);
  static constexpr std::array kActions{
      Named<std::uint32_t>{"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
      Named<std::uint32_t>{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
      Named<std::uint32_t>{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
      Named<std::uint32_t>{"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
      Named<std::uint32_t>{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
      Named<std::uint32_t>{"SCMP_ACT_LOG", SCMP_ACT_LOG},
      Named<std::uint32_t>{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
  };
  const auto* action = find_named(kActions, name);
  if (action == nullptr) return bad_input("seccomp: unknown action \"" + name + "\"");
  return action->value;
}

// "SCMP_ARCH_X86_64" is libseccomp's "x86_64".
Result<std::uint32_t> architecture_of(const std::string& name) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  if (name.starts_with(kPrefix)) {
    auto lower = name.substr(kPrefix.size());
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (const auto token = seccomp_arch_resolve_name(lower.c_str()); token != 0) return token;
  }
  return bad_input("seccomp: unknown architecture \"" + name + "\"");
}

Result<scmp_arg_cmp> comparison_of(const spec::SeccompArg& arg, const std::string& syscall) {
  const auto* op = find_named(kOperators, arg.op);
  if (op == nullptr) return bad_input("seccomp rule for " + syscall + ": unknown operator \"" + arg.op + "\"");
  if (arg.index > 5)
    return bad_input("seccomp rule for " + syscall + ": argument " + std::to_string(arg.index) +
                     " does not exist, the last one is 5");
  // MASKED_EQ compares (argument & value) with value_two; the others, with value alone.
  return scmp_arg_cmp{arg.index, op->value, arg.value, arg.value_two};
}

struct ReleaseContext {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, ReleaseContext>;

std::unexpected<Error> libseccomp_failed(const std::string& step, int code) {
  return fail(-code, "seccomp: " + step);
}

Result<> add_architectures(void* context, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto token = TRY(architecture_of(name));
    const int added = seccomp_arch_add(context, token);
    if (added == -EDOM) return bad_input("seccomp: architecture " + name + " has the other byte order than this machine");
    if (added < 0 && added != -EEXIST) return libseccomp_failed("add architecture " + name, added);
  }
  return {};
}

// Comparisons are joined by "and", but for several on one argument, which libseccomp cannot join:
// then each becomes a rule of its own, as in runc and crun.
Result<> add_rule(void* context, std::uint32_t action, const std::string& name, int number,
                  const std::vector<scmp_arg_cmp>& comparisons) {
  std::set<unsigned> arguments;
  for (const auto& comparison : comparisons) arguments.insert(comparison.arg);
  const auto add = [&](const scmp_arg_cmp* first, std::size_t count) -> Result<> {
    const int added = seccomp_rule_add_array(context, action, number, static_cast<unsigned>(count), first);
    if (added < 0) return libseccomp_failed("add the rule for " + name, added);
    return {};
  };
  if (arguments.size() == comparisons.size()) return add(comparisons.data(), comparisons.size());
  for (const auto& comparison : comparisons) TRY(add(&comparison, 1));
  return {};
}

Result<> add_rules(void* context, const spec::SeccompSyscall& rule, std::uint32_t default_action) {
  const auto action = TRY(action_of(rule.action, rule.errno_ret));
  for (const auto& name : rule.names) {
    std::vector<scmp_arg_cmp> comparisons;
    for (const auto& arg : rule.args) comparisons.push_back(TRY(comparison_of(arg, name)));
    if (action == SCMP_ACT_NOTIFY && name == "write")
      return bad_input("seccomp: write cannot be SCMP_ACT_NOTIFY; the runtime needs it to start the container");
    const int number = seccomp_syscall_resolve_name(name.c_str());
    // libseccomp refuses a rule that changes nothing.
    if (number == __NR_SCMP_ERROR || action == default_action) continue;
    TRY(add_rule(context, action, name, number, comparisons));
  }
  return {};
}

Result<std::vector<sock_filter>> export_program(void* context) {
  const auto file = TRY(sys::memory_file("nacre-seccomp", ""));
  if (const int exported = seccomp_export_bpf(context, file.get()); exported < 0)
    return libseccomp_failed("generate the program", exported);
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail(errno, "seccomp: read the program");
  const auto bytes = TRY(during("seccomp: read the program", sys::read_all(file.get())));
  std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
  std::copy_n(bytes.data(), program.size() * sizeof(sock_filter), reinterpret_cast<char*>(program.data()));
  if (program.size() > BPF_MAXINSNS)
    return bad_input("seccomp: the profile needs " + std::to_string(program.size()) + " instructions, the kernel takes " +
                     std::to_string(BPF_MAXINSNS) + "; give it fewer rules or architectures");
  return program;
}

}  // namespace

Result<std::vector<sock_filter>> compile(const spec::Seccomp& profile) {
  const auto default_action = TRY(action_of(profile.default_action, profile.default_errno_ret));
  if (default_action == SCMP_ACT_NOTIFY) return bad_input("seccomp: SCMP_ACT_NOTIFY cannot be the default action");
  TRY(flags_of(profile));
  const Context context(seccomp_init(default_action));
  if (!context) return fail(EINVAL, "seccomp: start a filter with the default action " + profile.default_action);
  // A binary search instead of a walk over every system call: less work in every call the
  // container makes.
  seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  TRY(add_architectures(context.get(), profile.architectures));
  for (const auto& rule : profile.syscalls) TRY(add_rules(context.get(), rule, default_action));
  return export_program(context.get());
}

bool uses_notify(const spec::Seccomp& profile) {
  return std::ranges::any_of(profile.syscalls, [](const auto& rule) { return rule.action == "SCMP_ACT_NOTIFY"; });
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
