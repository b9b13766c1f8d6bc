// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace nacre::test {

// A system call as a seccomp filter sees it.
struct Syscall {
  std::uint32_t number = 0;
  std::array<std::uint64_t, 6> arguments{};
  std::uint32_t architecture = AUDIT_ARCH_X86_64;
};

// What a seccomp filter answers (SECCOMP_RET_*, data included), by running the program as the
// kernel would. Nothing when the kernel would refuse it: an instruction that seccomp does not
// allow, a jump out of the program, a read out of seccomp_data, or an end without a return.
std::optional<std::uint32_t> run_filter(std::span<const sock_filter> program, const Syscall& call);

}  // namespace nacre::test
