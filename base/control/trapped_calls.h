// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/audit.h>

#include <array>
#include <cstdint>

// The system calls that a container's filter hands to nacre-procfs, by seccomp_data's arch.
namespace nacre::control {

struct TrappedNumbers {
  std::uint32_t architecture;  // AUDIT_ARCH_*
  std::uint32_t sysinfo, sched_getaffinity;
  bool wide;  // `long` is 64 bits
};
inline constexpr std::array kTrappedNumbers{
    TrappedNumbers{AUDIT_ARCH_X86_64, 99, 204, true},
    TrappedNumbers{AUDIT_ARCH_I386, 116, 242, false},
    TrappedNumbers{AUDIT_ARCH_AARCH64, 179, 123, true},
    TrappedNumbers{AUDIT_ARCH_ARM, 116, 242, false},
};
// x32 calls are x86_64 calls with this bit; the two numbers are the same in both. No other
// architecture has calls up there.
inline constexpr std::uint32_t kX32Bit = 0x40000000;

}  // namespace nacre::control
