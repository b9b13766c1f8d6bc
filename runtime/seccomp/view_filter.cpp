// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

#include "base/control/trapped_calls.h"
#include "runtime/seccomp/filter.h"

namespace nacre::runtime::seccomp {
namespace {

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }
// Skips `over` instructions unless the accumulator is `value`.
sock_filter unless_skip(std::uint32_t value, std::uint8_t over) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, over);
}

}  // namespace

std::vector<sock_filter> view_filter(bool affinity) {
  std::vector<sock_filter> program{load(offsetof(seccomp_data, arch))};
  for (const auto& numbers : control::kTrappedNumbers) {
    std::vector<sock_filter> block{
        load(offsetof(seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~control::kX32Bit),
        unless_skip(numbers.sysinfo, 1),
        answer(SECCOMP_RET_USER_NOTIF),
    };
    if (affinity) {
      block.push_back(unless_skip(numbers.sched_getaffinity, 1));
      block.push_back(answer(SECCOMP_RET_USER_NOTIF));
    }
    block.push_back(answer(SECCOMP_RET_ALLOW));
    program.push_back(unless_skip(numbers.architecture, static_cast<std::uint8_t>(block.size())));
    program.insert(program.end(), block.begin(), block.end());
  }
  program.push_back(answer(SECCOMP_RET_ALLOW));
  return program;
}

}  // namespace nacre::runtime::seccomp
