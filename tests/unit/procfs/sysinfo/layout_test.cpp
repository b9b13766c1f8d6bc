// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/layout.h"

#include <gmock/gmock.h>
#include <linux/audit.h>
#include <sys/sysinfo.h>

#include <cstdint>
#include <cstring>

#include "tests/support/result_matchers.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Yields;

constexpr std::chrono::milliseconds kUptime{12'001};

MemoryView memory_of(std::uint64_t total, std::uint64_t swap) {
  MemoryView memory;
  memory.total = total;
  memory.free = total / 2;
  memory.shmem = 100;
  memory.swap_total = swap;
  memory.swap_free = swap / 4;
  return memory;
}

TEST(Sysinfo, IsThisMachinesOwnStructure) {
  const auto bytes =
      sysinfo_bytes(memory_of(262144, 1024), kUptime, {2048, 1024, 0}, {.total = 7}, Abi::bits64);
  struct sysinfo info {};
  ASSERT_EQ(bytes.size(), sizeof(info));
  std::memcpy(&info, bytes.data(), sizeof(info));
  EXPECT_EQ(info.uptime, 13);  // begun seconds count, as in the kernel
  EXPECT_EQ(info.loads[0], 1u << SI_LOAD_SHIFT);
  EXPECT_EQ(info.loads[1], 1u << (SI_LOAD_SHIFT - 1));
  EXPECT_EQ(info.mem_unit, 1u);
  EXPECT_EQ(info.totalram, 256u << 20);
  EXPECT_EQ(info.freeram, 128u << 20);
  EXPECT_EQ(info.sharedram, 100u << 10);
  EXPECT_EQ(info.bufferram, 0u);
  EXPECT_EQ(info.totalswap, 1u << 20);
  EXPECT_EQ(info.freeswap, 256u << 10);
  EXPECT_EQ(info.procs, 7);
  EXPECT_EQ(info.totalhigh, 0u);
}

TEST(Sysinfo, ProcessesSaturate) {
  const auto bytes = sysinfo_bytes(memory_of(1, 0), kUptime, {}, {.total = 70'000}, Abi::bits64);
  struct sysinfo info {};
  std::memcpy(&info, bytes.data(), sizeof(info));
  EXPECT_EQ(info.procs, 65535);
}

struct Sysinfo32 {
  std::uint32_t uptime, loads[3], total, free, shared, buffer, total_swap, free_swap;
  std::uint16_t procs, pad;
  std::uint32_t total_high, free_high, unit;
  char padding[8];
};

TEST(Sysinfo, A32BitCallerGetsPagesWhenBytesDoNotFit) {
  for (const auto& [total, unit] : {std::pair{3u << 20, 1u}, {4u << 20, 4096u}, {512u << 20, 4096u}}) {
    const auto bytes = sysinfo_bytes(memory_of(total, 0), kUptime, {}, {}, Abi::bits32);
    Sysinfo32 info{};
    ASSERT_EQ(bytes.size(), sizeof(info));
    std::memcpy(&info, bytes.data(), sizeof(info));
    EXPECT_EQ(info.unit, unit);
    EXPECT_EQ(std::uint64_t{info.total} * info.unit, std::uint64_t{total} * 1024);
  }
}

TEST(TrappedCall, IsToldByArchitecture) {
  EXPECT_EQ(trapped_call(AUDIT_ARCH_X86_64, 99)->call, Call::sysinfo);
  EXPECT_EQ(trapped_call(AUDIT_ARCH_X86_64, 0x40000000 | 99)->abi, Abi::bits64);  // x32
  EXPECT_EQ(trapped_call(AUDIT_ARCH_X86_64, 204)->call, Call::sched_getaffinity);
  EXPECT_EQ(trapped_call(AUDIT_ARCH_I386, 116)->abi, Abi::bits32);
  EXPECT_EQ(trapped_call(AUDIT_ARCH_AARCH64, 179)->abi, Abi::bits64);
  EXPECT_FALSE(trapped_call(AUDIT_ARCH_X86_64, 116));
  EXPECT_FALSE(trapped_call(AUDIT_ARCH_S390X, 116));
}

TEST(Affinity, ShowsTheFirstOfTheRealCpus) {
  const std::vector<unsigned char> real{0b1011'0100, 0b1, 0, 0, 0, 0, 0, 0};
  const CpuMaskRules rules{16, 8};
  EXPECT_THAT(affinity_bytes(real, 2, 128, Abi::bits64, rules), Yields(std::string("\x14\0\0\0\0\0\0\0", 8)));
  EXPECT_THAT(affinity_bytes(real, 5, 8, Abi::bits64, rules), Yields(std::string("\xb4\1\0\0\0\0\0\0", 8)));
  EXPECT_THAT(affinity_bytes(real, 99, 8, Abi::bits64, rules), Yields(std::string("\xb4\1\0\0\0\0\0\0", 8)));
  EXPECT_THAT(affinity_bytes(real, 5, 4, Abi::bits32, rules), Yields(std::string("\xb4\1\0\0", 4)));
}

TEST(Affinity, LengthsAreJudgedAsTheKernelDoes) {
  const std::vector<unsigned char> real(128, 0xff);
  const CpuMaskRules rules{100, 128};
  EXPECT_THAT(affinity_bytes(real, 1, 8, Abi::bits64, rules), FailsWith(EINVAL));   // too short for 100 CPUs
  EXPECT_THAT(affinity_bytes(real, 1, 20, Abi::bits64, rules), FailsWith(EINVAL));  // no whole longs
  EXPECT_THAT(affinity_bytes(real, 1, 20, Abi::bits32, rules), Yields(::testing::SizeIs(20)));
  EXPECT_THAT(affinity_bytes(real, 1, 1 << 20, Abi::bits64, rules), Yields(::testing::SizeIs(128)));
  EXPECT_THAT(affinity_bytes(real, 1, 0, Abi::bits64, rules), FailsWith(EINVAL));
}

}  // namespace
}  // namespace nacre::procfs
