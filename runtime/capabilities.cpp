// SPDX-License-Identifier: Apache-2.0
#include "runtime/capabilities.h"

#include <sys/capability.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

namespace nacre::runtime::capabilities {
namespace {

// By number, as linux/capability.h gives them.
constexpr std::array<std::string_view, 41> kNames{
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
static_assert(kNames.size() == CAP_LAST_CAP + 1);

// One bit a capability, as the kernel keeps them.
using Set = std::uint64_t;

std::optional<unsigned> number_of(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<unsigned>(found - kNames.begin());
}

Result<Set> parse(const std::vector<std::string>& names, std::string_view set) {
  Set result = 0;
  for (const auto& name : names) {
    const auto number = number_of(name);
    if (!number)
      return bad_input("unknown capability \"" + name + "\" in the " + std::string(set) +
                       " set; names look like CAP_NET_ADMIN");
    result |= Set{1} << *number;
  }
  return result;
}

struct Sets {
  Set bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
};
Result<Sets> parse(const spec::Capabilities& wanted) {
  return Sets{.bounding = TRY(parse(wanted.bounding, "bounding")),
              .effective = TRY(parse(wanted.effective, "effective")),
              .inheritable = TRY(parse(wanted.inheritable, "inheritable")),
              .permitted = TRY(parse(wanted.permitted, "permitted")),
              .ambient = TRY(parse(wanted.ambient, "ambient"))};
}

std::string first_name(Set set) { return std::string(kNames[static_cast<unsigned>(__builtin_ctzll(set))]); }

struct FreeCap {
  void operator()(cap_t value) const { ::cap_free(value); }
};
using Cap = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCap>;

// What the calling thread has in one of its three sets.
Result<Set> own(cap_flag_t which) {
  const Cap now(::cap_get_proc());
  if (!now) return fail(errno, "read our capabilities");
  Set result = 0;
  for (unsigned number = 0; number < kNames.size(); ++number) {
    cap_flag_value_t value = CAP_CLEAR;
    if (::cap_get_flag(now.get(), static_cast<cap_value_t>(number), which, &value) == 0 && value == CAP_SET)
      result |= Set{1} << number;
  }
  return result;
}

void fill(cap_t target, cap_flag_t which, Set set) {
  for (unsigned number = 0; number < kNames.size(); ++number) {
    const auto capability = static_cast<cap_value_t>(number);
    if ((set >> number & 1) != 0) ::cap_set_flag(target, which, 1, &capability, CAP_SET);
  }
}

}  // namespace

const std::vector<std::string>& default_capabilities() {
  static const std::vector<std::string> kDefault{
      "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FOWNER",  "CAP_FSETID", "CAP_KILL",      "CAP_NET_BIND_SERVICE",
      "CAP_SETFCAP", "CAP_SETGID",       "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"};
  return kDefault;
}

Result<> validate(const spec::Capabilities& wanted) {
  const auto sets = TRY(parse(wanted));
  if (const Set extra = sets.effective & ~sets.permitted; extra != 0)
    return bad_input("effective capability " + first_name(extra) +
                     " is not in the permitted set; add it there");
  return {};
}

Result<> drop_bounding(const spec::Capabilities& wanted) {
  const auto keep = TRY(parse(wanted.bounding, "bounding"));
  // The kernel may know more than our table: those go too.
  for (int number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if (number < 64 && (keep >> number & 1) != 0) continue;
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 0) continue;
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0)
      return fail(errno, "drop capability " + std::to_string(number) + " from the bounding set");
  }
  return {};
}

Result<> apply(const spec::Capabilities& wanted) {
  const auto sets = TRY(parse(wanted));
  const auto available = TRY(own(CAP_PERMITTED));
  const Set permitted = sets.permitted & available;
  // Inheritable ones need not be permitted, but must be in the bounding set or held already.
  Set bounding = 0;
  for (unsigned number = 0; number < kNames.size(); ++number)
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) bounding |= Set{1} << number;
  const Set inheritable = sets.inheritable & (bounding | TRY(own(CAP_INHERITABLE)));

  // EINVAL: a kernel without ambient capabilities (before 4.3), which has nothing to clear.
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
    return fail(errno, "clear the ambient capabilities");
  const Cap target(::cap_init());
  if (!target) return fail(errno, "set the capabilities");
  fill(target.get(), CAP_PERMITTED, permitted);
  fill(target.get(), CAP_EFFECTIVE, sets.effective & permitted);
  fill(target.get(), CAP_INHERITABLE, inheritable);
  if (::cap_set_proc(target.get()) != 0) return fail(errno, "set the capabilities");

  const Set ambient = sets.ambient & permitted & inheritable;
  for (unsigned number = 0; number < kNames.size(); ++number)
    if ((ambient >> number & 1) != 0 && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0)
      return fail(errno, "raise the ambient capability " + std::string(kNames[number]));
  return {};
}

}  // namespace nacre::runtime::capabilities
