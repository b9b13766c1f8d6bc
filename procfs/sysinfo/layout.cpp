// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/layout.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "base/control/trapped_calls.h"

namespace nacre::procfs {
namespace {

constexpr unsigned kPageShift = 12;
constexpr unsigned kLoadShiftInSysinfo = 16;  // SI_LOAD_SHIFT

// The two layouts differ in the width of `long` only (include/uapi/linux/sysinfo.h).
template <typename Long, std::size_t kPadding>
struct Layout {
  Long uptime;
  Long loads[3];
  Long total_ram, free_ram, shared_ram, buffer_ram, total_swap, free_swap;
  std::uint16_t processes;
  std::uint16_t pad;
  Long total_high, free_high;
  std::uint32_t unit;
  char padding[kPadding];
};
using Layout64 = Layout<std::uint64_t, 4>;
using Layout32 = Layout<std::uint32_t, 8>;
static_assert(sizeof(Layout64) == 112 && sizeof(Layout32) == 64);

template <typename Target>
std::string encode(const MemoryView& memory, std::chrono::nanoseconds uptime, const Loads& loads,
                   const TaskCounts& tasks, unsigned shift) {
  Target target;
  std::memset(&target, 0, sizeof(target));
  using Long = decltype(target.uptime);
  const auto scaled = [&](std::uint64_t kib) { return static_cast<Long>((kib << 10) >> shift); };
  // The kernel rounds a begun second up here, unlike in /proc/uptime.
  target.uptime = static_cast<Long>(std::chrono::ceil<std::chrono::seconds>(uptime).count());
  for (std::size_t i = 0; i < loads.size(); ++i)
    target.loads[i] = static_cast<Long>(loads[i] << (kLoadShiftInSysinfo - kLoadShift));
  target.total_ram = scaled(memory.total);
  target.free_ram = scaled(memory.free);
  target.shared_ram = scaled(memory.shmem);
  target.total_swap = scaled(memory.swap_total);
  target.free_swap = scaled(memory.swap_free);
  target.processes = static_cast<std::uint16_t>(std::min<std::uint64_t>(tasks.total, UINT16_MAX));
  target.unit = 1u << shift;
  std::string bytes(sizeof(target), '\0');
  std::memcpy(bytes.data(), &target, sizeof(target));
  return bytes;
}

}  // namespace

std::optional<TrappedCall> trapped_call(std::uint32_t arch, int number) {
  const auto* const known =
      std::ranges::find(control::kTrappedNumbers, arch, &control::TrappedNumbers::architecture);
  if (known == control::kTrappedNumbers.end()) return std::nullopt;
  auto wanted = static_cast<std::uint32_t>(number);
  if (arch == AUDIT_ARCH_X86_64) wanted &= ~control::kX32Bit;
  const auto abi = known->wide ? Abi::bits64 : Abi::bits32;
  if (wanted == known->sysinfo) return TrappedCall{Call::sysinfo, abi};
  if (wanted == known->sched_getaffinity) return TrappedCall{Call::sched_getaffinity, abi};
  return std::nullopt;
}

std::string sysinfo_bytes(const MemoryView& memory, std::chrono::nanoseconds uptime, const Loads& loads,
                          const TaskCounts& tasks, Abi abi) {
  if (abi == Abi::bits64) return encode<Layout64>(memory, uptime, loads, tasks, 0);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const bool fits = (memory.total << 10) <= kMost && (memory.swap_total << 10) <= kMost;
  return encode<Layout32>(memory, uptime, loads, tasks, fits ? 0 : kPageShift);
}

Result<std::string> affinity_bytes(const std::vector<unsigned char>& real, std::size_t count,
                                   std::uint64_t length, Abi abi, const CpuMaskRules& rules) {
  const std::uint64_t word = abi == Abi::bits64 ? 8 : 4;
  length = static_cast<std::uint32_t>(length);  // an unsigned int in the kernel
  if (length * 8 < rules.cpus || length % word != 0) return fail(EINVAL);
  std::string bytes(std::min<std::size_t>(length, rules.mask_size), '\0');
  for (std::size_t cpu = 0, shown = 0; cpu / 8 < std::min(real.size(), bytes.size()) && shown < count;
       ++cpu) {
    const auto bit = static_cast<unsigned char>(1u << (cpu % 8));
    if ((real[cpu / 8] & bit) == 0) continue;
    bytes[cpu / 8] = static_cast<char>(static_cast<unsigned char>(bytes[cpu / 8]) | bit);
    ++shown;
  }
  return bytes;
}

}  // namespace nacre::procfs
