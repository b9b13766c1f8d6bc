// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/answer.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

// More than any kernel's mask (NR_CPUS is at most 8192 on the architectures we know).
constexpr std::size_t kMaskRoom = 4096;

Result<std::vector<unsigned char>> real_mask(pid_t thread) {
  std::vector<unsigned char> mask(kMaskRoom);
  // The system call tells the mask's size, which the library's wrapper hides.
  const auto size =
      TRY(sys::checked([&] { return ::syscall(SYS_sched_getaffinity, thread, mask.size(), mask.data()); }));
  mask.resize(static_cast<std::size_t>(size));
  return mask;
}

// A pid argument is a number of the caller's own pid namespace. 0 and the caller's own are
// the caller; others are left to the kernel, which can tell who they are.
bool means_caller(const seccomp_notif& notification) {
  const auto wanted = static_cast<pid_t>(notification.data.args[0]);
  if (wanted == 0) return true;
  const auto status = sys::read_file("/proc/" + std::to_string(notification.pid) + "/status");
  return status && parse_innermost_pid(*status) == wanted;
}

Result<std::string> bytes_for(const TrappedCall& trapped, const seccomp_notif& notification,
                              Container& container, const CpuMaskRules& rules) {
  if (trapped.call == Call::sysinfo)
    return sysinfo_bytes(*TRY(container.memory()), container.time().uptime, TRY(container.loads()),
                         TRY(container.tasks()), trapped.abi);
  const auto real = TRY(real_mask(static_cast<pid_t>(notification.pid)));
  return affinity_bytes(real, TRY(container.cpu())->cpus.size(), notification.data.args[1], trapped.abi,
                        rules);
}

}  // namespace

Result<CpuMaskRules> cpu_mask_rules() {
  const auto possible = TRY(parse_list(trim(TRY(sys::read_file("/sys/devices/system/cpu/possible")))));
  if (possible.empty()) return bad_input("/sys/devices/system/cpu/possible names no CPU");
  return CpuMaskRules{possible.back() + std::size_t{1}, TRY(real_mask(0)).size()};
}

Result<> answer_call(int listener, const seccomp_notif& notification, Container& container,
                     const CpuMaskRules& rules, MemoryWriter& writer) {
  const auto trapped = trapped_call(notification.data.arch, notification.data.nr);
  if (!trapped || notification.pid == 0) return answer_continue(listener, notification.id);
  const bool affinity = trapped->call == Call::sched_getaffinity;
  if (affinity && !means_caller(notification)) return answer_continue(listener, notification.id);

  const auto bytes = bytes_for(*trapped, notification, container, rules);
  if (!bytes && affinity && bytes.error().code == EINVAL)
    return answer_error(listener, notification.id, EINVAL);
  if (!bytes) return answer_continue(listener, notification.id);

  const auto written =
      write_to_caller(listener, notification, notification.data.args[affinity ? 2 : 0], *bytes, writer);
  if (written)
    return answer_value(listener, notification.id, affinity ? static_cast<std::int64_t>(bytes->size()) : 0);
  if (written.error().code == ENOENT) return {};  // the caller has gone
  if (written.error().code == ECANCELED) return written;
  if (written.error().code == EFAULT) return answer_error(listener, notification.id, EFAULT);
  return answer_continue(listener, notification.id);
}

}  // namespace nacre::procfs
