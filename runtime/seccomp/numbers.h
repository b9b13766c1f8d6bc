// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

// Architectures and numbers of system calls, from libseccomp's tables.
namespace nacre::runtime::seccomp {

// AUDIT_ARCH_* as the kernel reports it, but for x32, which has libseccomp's number.
using Architecture = std::uint32_t;
inline constexpr Architecture kX32 = 0x4000003e;
// What tells x32 calls from those of x86_64, whose AUDIT_ARCH they share.
inline constexpr std::uint32_t kX32Bit = 0x40000000;

// "SCMP_ARCH_X86_64". An error for a name that nobody knows, or of the other byte order.
Result<Architecture> architecture_of(const std::string& name);
Architecture native_architecture();

// A way to make a system call. On i386 there are two for sockets and System V IPC: their own
// number, and the older socketcall(2) or ipc(2) with the operation as first argument, the low 16
// bits of which count.
struct Entry {
  std::uint32_t number = 0;
  std::optional<std::uint32_t> operation;
};
// Nothing when the architecture has no such call.
std::vector<Entry> entries_of(const std::string& name, Architecture architecture);

// Whether any architecture has a call of this name.
bool is_known(const std::string& name);

}  // namespace nacre::runtime::seccomp
