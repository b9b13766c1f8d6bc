// SPDX-License-Identifier: Apache-2.0
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/seccomp/filter.h"

namespace nacre::runtime::seccomp {
namespace {

struct Numbers {
  std::uint32_t architecture, sysinfo, sched_getaffinity;
};
constexpr std::array kNumbers{
    Numbers{AUDIT_ARCH_X86_64, 99, 204},
    Numbers{AUDIT_ARCH_I386, 116, 242},
    Numbers{AUDIT_ARCH_AARCH64, 179, 123},
};
// x32 calls are x86_64 calls with this bit; the two numbers we want are the same in both. No other
// architecture has calls up there.
constexpr std::uint32_t kX32Bit = 0x40000000;

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
  for (const auto& numbers : kNumbers) {
    std::vector<sock_filter> block{
        load(offsetof(seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~kX32Bit),
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
