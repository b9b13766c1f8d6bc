// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/sys/helpers.h"

namespace nacre::procfs {

// Writes into the memory of callers, by a helper: that memory may lie on a file system of their choice, which
// need not answer, or on ours.
class MemoryWriter {
 public:
  static const sys::HelperKind kKind;
  // A wait ends when `interrupt` is readable.
  MemoryWriter(sys::Helpers& helpers, int interrupt) : helper_(helpers, kKind), interrupt_(interrupt) {}

  // `memory` is /proc/PID/mem of the process whose call `id` of `listener` waits, open for writing. EFAULT
  // for a bad address, ENOENT when the call does not wait any more, ECANCELED when interrupted.
  Result<> write(int memory, std::uint64_t address, std::string_view bytes, int listener, std::uint64_t id);

 private:
  sys::Helper helper_;
  int interrupt_;
};

}  // namespace nacre::procfs
