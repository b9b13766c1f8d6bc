// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdint>

#include "runtime/seccomp/filter.h"
#include "tests/support/bpf_interpreter.h"

namespace nacre::runtime::seccomp {
namespace {

using test::run_filter;
using test::Syscall;
using ::testing::Optional;

struct Numbers {
  const char* name;
  std::uint32_t architecture, bit, sysinfo, sched_getaffinity;
};
constexpr Numbers kArchitectures[]{
    {"x86_64", AUDIT_ARCH_X86_64, 0, 99, 204}, {"x32", AUDIT_ARCH_X86_64, 0x40000000, 99, 204},
    {"i386", AUDIT_ARCH_I386, 0, 116, 242},    {"aarch64", AUDIT_ARCH_AARCH64, 0, 179, 123},
    {"arm", AUDIT_ARCH_ARM, 0, 116, 242},
};

TEST(ViewFilterTest, HandsOverWhatIsAskedForAndNothingElse) {
  for (const bool affinity : {false, true}) {
    const auto program = view_filter(affinity);
    for (const auto& arch : kArchitectures) {
      for (std::uint32_t number = 0; number < 500; ++number) {
        const bool wanted = number == arch.sysinfo || (affinity && number == arch.sched_getaffinity);
        EXPECT_THAT(run_filter(program, Syscall{arch.bit | number, {}, arch.architecture}),
                    Optional(wanted ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW))
            << arch.name << " " << number << " affinity " << affinity;
      }
    }
  }
}

TEST(ViewFilterTest, OtherArchitecturesAreLeftAlone) {
  for (std::uint32_t number = 0; number < 500; ++number)
    EXPECT_THAT(run_filter(view_filter(true), Syscall{number, {}, AUDIT_ARCH_RISCV64}),
                Optional(SECCOMP_RET_ALLOW));
}

TEST(BpfInterpreterTest, RefusesWhatTheKernelWould) {
  const sock_filter no_return[]{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
  EXPECT_EQ(run_filter(no_return, {}), std::nullopt);
  const sock_filter beyond[]{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, 0)};
  EXPECT_EQ(run_filter(beyond, {}), std::nullopt);
  const sock_filter jump_out[]{BPF_STMT(BPF_JMP | BPF_JA, 7), BPF_STMT(BPF_RET | BPF_K, 0)};
  EXPECT_EQ(run_filter(jump_out, {}), std::nullopt);
}

}  // namespace
}  // namespace nacre::runtime::seccomp
