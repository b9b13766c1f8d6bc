// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <random>

#include "base/sys/file.h"
#include "runtime/seccomp/filter.h"
#include "tests/support/bpf_interpreter.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::seccomp {
namespace {

using test::FailsSaying;
using test::run_filter;
using test::Succeeds;
using test::Syscall;
using test::Yields;
using ::testing::Optional;

constexpr std::uint32_t kAllowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t errno_answer(unsigned code) { return SECCOMP_RET_ERRNO | code; }

spec::Seccomp profile(std::string default_action, std::vector<spec::SeccompSyscall> rules) {
  spec::Seccomp result;
  result.default_action = std::move(default_action);
  result.syscalls = std::move(rules);
  return result;
}

std::optional<std::uint32_t> verdict(const spec::Seccomp& of, const Syscall& call) {
  const auto program = compile(of);
  EXPECT_THAT(program, Succeeds());
  return program ? run_filter(*program, call) : std::nullopt;
}

TEST(CompileTest, TheDefaultAnswersWhatNoRuleNames) {
  const auto allow_read = profile("SCMP_ACT_ERRNO", {{{"read"}, "SCMP_ACT_ALLOW", {}, {}}});
  EXPECT_THAT(verdict(allow_read, {SYS_read}), Optional(kAllowed));
  EXPECT_THAT(verdict(allow_read, {SYS_write}), Optional(errno_answer(EPERM)));
}

TEST(CompileTest, EveryActionHasItsAnswer) {
  const std::pair<const char*, std::uint32_t> cases[]{
      {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD},
      {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS},
      {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP},
      {"SCMP_ACT_ERRNO", errno_answer(EPERM)},
      {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM},
      {"SCMP_ACT_LOG", SECCOMP_RET_LOG},
      {"SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF},
  };
  for (const auto& [action, answer] : cases)
    EXPECT_THAT(verdict(profile("SCMP_ACT_ALLOW", {{{"getpid"}, action, {}, {}}}), {SYS_getpid}),
                Optional(answer))
        << action;
}

TEST(CompileTest, ErrnosAreTheProfiles) {
  auto rules = profile("SCMP_ACT_ERRNO",
                       {{{"getpid"}, "SCMP_ACT_ERRNO", ENOTTY, {}}, {{"getuid"}, "SCMP_ACT_TRACE", 7, {}}});
  rules.default_errno_ret = ENOSYS;
  EXPECT_THAT(verdict(rules, {SYS_read}), Optional(errno_answer(ENOSYS)));
  EXPECT_THAT(verdict(rules, {SYS_getpid}), Optional(errno_answer(ENOTTY)));
  EXPECT_THAT(verdict(rules, {SYS_getuid}), Optional(SECCOMP_RET_TRACE | 7u));
  rules.default_errno_ret = 5000;
  EXPECT_THAT(compile(rules), FailsSaying("errnoRet 5000"));
}

TEST(CompileTest, ARuleLikeTheDefaultChangesNothing) {
  const auto same = profile("SCMP_ACT_ALLOW", {{{"read", "write"}, "SCMP_ACT_ALLOW", {}, {}}});
  EXPECT_THAT(verdict(same, {SYS_read}), Optional(kAllowed));
}

TEST(CompileTest, UnknownSystemCallsAreSkipped) {
  const auto future = profile("SCMP_ACT_ERRNO", {{{"call_of_the_future", "read"}, "SCMP_ACT_ALLOW", {}, {}}});
  EXPECT_THAT(verdict(future, {SYS_read}), Optional(kAllowed));
}

// Operators of runtime-spec, on 64 bits.
TEST(CompileTest, ComparesArguments) {
  constexpr std::uint64_t kBig = 0x1'0000'0005;
  struct Case {
    const char* op;
    std::uint64_t value, value_two, argument;
    bool matches;
  };
  const Case cases[]{
      {"SCMP_CMP_EQ", kBig, 0, kBig, true},
      {"SCMP_CMP_EQ", kBig, 0, 5, false},
      {"SCMP_CMP_NE", kBig, 0, 5, true},
      {"SCMP_CMP_NE", kBig, 0, kBig, false},
      {"SCMP_CMP_LT", kBig, 0, kBig - 1, true},
      {"SCMP_CMP_LT", kBig, 0, kBig, false},
      {"SCMP_CMP_LE", kBig, 0, kBig, true},
      {"SCMP_CMP_LE", kBig, 0, kBig + 1, false},
      {"SCMP_CMP_GE", kBig, 0, kBig, true},
      {"SCMP_CMP_GE", kBig, 0, 6, false},
      {"SCMP_CMP_GT", kBig, 0, kBig + 1, true},
      {"SCMP_CMP_GT", kBig, 0, kBig, false},
      {"SCMP_CMP_MASKED_EQ", 0xf0, 0x30, 0x3f, true},
      {"SCMP_CMP_MASKED_EQ", 0xf0, 0x30, 0x4f, false},
  };
  for (const auto& c : cases) {
    const auto rules =
        profile("SCMP_ACT_ERRNO", {{{"dup"}, "SCMP_ACT_ALLOW", {}, {{0, c.value, c.value_two, c.op}}}});
    EXPECT_THAT(verdict(rules, {SYS_dup, {c.argument}}), Optional(c.matches ? kAllowed : errno_answer(EPERM)))
        << c.op << " " << c.argument;
  }
}

TEST(CompileTest, ComparisonsOfDifferentArgumentsMustAllHold) {
  const auto rules =
      profile("SCMP_ACT_ERRNO",
              {{{"dup2"}, "SCMP_ACT_ALLOW", {}, {{0, 1, 0, "SCMP_CMP_EQ"}, {1, 2, 0, "SCMP_CMP_EQ"}}}});
  EXPECT_THAT(verdict(rules, {SYS_dup2, {1, 2}}), Optional(kAllowed));
  EXPECT_THAT(verdict(rules, {SYS_dup2, {1, 3}}), Optional(errno_answer(EPERM)));
}

TEST(CompileTest, OfComparisonsOfOneArgumentAnyWillDo) {
  const auto rules =
      profile("SCMP_ACT_ERRNO",
              {{{"dup"}, "SCMP_ACT_ALLOW", {}, {{0, 1, 0, "SCMP_CMP_EQ"}, {0, 2, 0, "SCMP_CMP_EQ"}}}});
  EXPECT_THAT(verdict(rules, {SYS_dup, {1}}), Optional(kAllowed));
  EXPECT_THAT(verdict(rules, {SYS_dup, {2}}), Optional(kAllowed));
  EXPECT_THAT(verdict(rules, {SYS_dup, {3}}), Optional(errno_answer(EPERM)));
}

#ifdef __x86_64__
TEST(CompileTest, EveryArchitectureHasItsOwnNumbers) {
  auto rules = profile("SCMP_ACT_ERRNO", {{{"getpid"}, "SCMP_ACT_ALLOW", {}, {}}});
  EXPECT_THAT(verdict(rules, {20, {}, AUDIT_ARCH_I386}), Optional(SECCOMP_RET_KILL_THREAD))
      << "not in the profile";
  rules.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  EXPECT_THAT(verdict(rules, {SYS_getpid}), Optional(kAllowed));
  EXPECT_THAT(verdict(rules, {20, {}, AUDIT_ARCH_I386}), Optional(kAllowed));
  EXPECT_THAT(verdict(rules, {39, {}, AUDIT_ARCH_I386}), Optional(errno_answer(EPERM)))
      << "39 is mkdir there";
  EXPECT_THAT(verdict(rules, {0x40000000 | SYS_getpid}), Optional(kAllowed));
}
#endif

TEST(CompileTest, NonsenseIsNamed) {
  const auto with_rule = [](spec::SeccompSyscall rule) {
    return compile(profile("SCMP_ACT_ALLOW", {std::move(rule)}));
  };
  EXPECT_THAT(compile(profile("SCMP_ACT_MAYBE", {})), FailsSaying("unknown action \"SCMP_ACT_MAYBE\""));
  EXPECT_THAT(compile(profile("SCMP_ACT_NOTIFY", {})), FailsSaying("default action"));
  EXPECT_THAT(with_rule({{"read"}, "SCMP_ACT_NO", {}, {}}), FailsSaying("SCMP_ACT_NO"));
  EXPECT_THAT(with_rule({{"write"}, "SCMP_ACT_NOTIFY", {}, {}}), FailsSaying("write"));
  EXPECT_THAT(with_rule({{"read"}, "SCMP_ACT_ERRNO", {}, {{0, 1, 0, "SCMP_CMP_LIKE"}}}),
              FailsSaying("SCMP_CMP_LIKE"));
  EXPECT_THAT(with_rule({{"read"}, "SCMP_ACT_ERRNO", {}, {{6, 1, 0, "SCMP_CMP_EQ"}}}),
              FailsSaying("argument 6"));
  auto bad = profile("SCMP_ACT_ALLOW", {});
  bad.architectures = {"SCMP_ARCH_Z80"};
  EXPECT_THAT(compile(bad), FailsSaying("SCMP_ARCH_Z80"));
  bad.architectures = {"SCMP_ARCH_S390X"};
  EXPECT_THAT(compile(bad), FailsSaying("byte order"));
}

// One rule with up to three conditions for each of many system calls, at random.
struct RandomProfile {
  spec::Seccomp profile;
  std::vector<sock_filter> reference;  // of libseccomp
};

RandomProfile random_profile(std::mt19937& random) {
  const std::pair<const char*, scmp_compare> operators[]{{"SCMP_CMP_NE", SCMP_CMP_NE},
                                                         {"SCMP_CMP_LT", SCMP_CMP_LT},
                                                         {"SCMP_CMP_LE", SCMP_CMP_LE},
                                                         {"SCMP_CMP_EQ", SCMP_CMP_EQ},
                                                         {"SCMP_CMP_GE", SCMP_CMP_GE},
                                                         {"SCMP_CMP_GT", SCMP_CMP_GT},
                                                         {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
  const std::uint64_t values[]{0, 1, 7, 0xff, 0xffffffff, 0x1'0000'0000, 0x1'0000'0007, ~0ull};
  RandomProfile result{profile("SCMP_ACT_ERRNO", {}), {}};
  auto* context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  for (int number = 0; number < 330; ++number) {
    if (random() % 3 == 0) continue;
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (name == nullptr) continue;
    spec::SeccompSyscall rule{{name}, "SCMP_ACT_ERRNO", 1000 + random() % 3, {}};
    ::free(name);
    std::vector<scmp_arg_cmp> comparisons;
    for (unsigned argument = 0; argument < 3; ++argument) {
      if (random() % 3 != 0) continue;
      const auto& [op, libseccomp] = operators[random() % std::size(operators)];
      const auto value = values[random() % std::size(values)],
                 two = values[random() % std::size(values)] & value;
      rule.args.push_back({argument, value, two, op});
      comparisons.push_back({argument, libseccomp, value, two});
    }
    EXPECT_EQ(seccomp_rule_add_array(context, SCMP_ACT_ERRNO(*rule.errno_ret), number,
                                     static_cast<unsigned>(comparisons.size()), comparisons.data()),
              0);
    result.profile.syscalls.push_back(std::move(rule));
  }
  const auto file = *sys::memory_file("reference", "");
  EXPECT_EQ(seccomp_export_bpf(context, file.get()), 0);
  seccomp_release(context);
  ::lseek(file.get(), 0, SEEK_SET);
  const auto bytes = *sys::read_all(file.get());
  result.reference.resize(bytes.size() / sizeof(sock_filter));
  std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char*>(result.reference.data()));
  return result;
}

TEST(CompileTest, AgreesWithLibseccomp) {
  std::mt19937 random(20260101);
  const std::uint64_t values[]{0,
                               1,
                               2,
                               6,
                               7,
                               8,
                               0xff,
                               0x100,
                               0xfffffffe,
                               0xffffffff,
                               0x1'0000'0000,
                               0x1'0000'0006,
                               0x1'0000'0007,
                               0x1'0000'0008,
                               ~0ull - 1,
                               ~0ull};
  for (int round = 0; round < 20; ++round) {
    const auto [profile, reference] = random_profile(random);
    const auto program = compile(profile);
    ASSERT_THAT(program, Succeeds());
    for (int call = 0; call < 20000; ++call) {
      const auto pick = [&] { return values[random() % std::size(values)]; };
      const Syscall syscall{static_cast<std::uint32_t>(random() % 340), {pick(), pick(), pick()}};
      ASSERT_EQ(run_filter(*program, syscall), run_filter(reference, syscall))
          << "round " << round << " call " << syscall.number << std::hex << " " << syscall.arguments[0] << " "
          << syscall.arguments[1] << " " << syscall.arguments[2];
    }
  }
}

TEST(CompileTest, RulesWithoutConditionsWin) {
  const spec::SeccompSyscall always{{"dup"}, "SCMP_ACT_ALLOW", {}, {}};
  const spec::SeccompSyscall sometimes{{"dup"}, "SCMP_ACT_KILL", {}, {{0, 1, 0, "SCMP_CMP_EQ"}}};
  EXPECT_THAT(verdict(profile("SCMP_ACT_ERRNO", {always, sometimes}), {SYS_dup, {1}}), Optional(kAllowed));
  EXPECT_THAT(verdict(profile("SCMP_ACT_ERRNO", {sometimes, always}), {SYS_dup, {1}}), Optional(kAllowed));
  const spec::SeccompSyscall never{{"dup"}, "SCMP_ACT_KILL", {}, {}};
  // The first of two without conditions, as libseccomp does: podman's profile has such a pair.
  EXPECT_THAT(verdict(profile("SCMP_ACT_ERRNO", {always, never}), {SYS_dup, {1}}), Optional(kAllowed));
  EXPECT_THAT(verdict(profile("SCMP_ACT_ERRNO", {never, always}), {SYS_dup, {1}}),
              Optional(SECCOMP_RET_KILL_THREAD));
}

#ifdef __x86_64__
// i386 makes sockets in two ways, and a refusal must cover both.
TEST(CompileTest, RefusalsReachThroughMultiplexers) {
  auto rules = profile("SCMP_ACT_ALLOW", {{{"socket", "semget"}, "SCMP_ACT_ERRNO", {}, {}}});
  rules.architectures = {"SCMP_ARCH_X86"};
  constexpr std::uint32_t kSocketcall = 102, kIpc = 117, kSocket = 359, kSemget = 393;
  EXPECT_THAT(verdict(rules, {kSocket, {}, AUDIT_ARCH_I386}), Optional(errno_answer(EPERM)));
  EXPECT_THAT(verdict(rules, {kSocketcall, {1}, AUDIT_ARCH_I386}), Optional(errno_answer(EPERM)));
  EXPECT_THAT(verdict(rules, {kSocketcall, {3}, AUDIT_ARCH_I386}), Optional(kAllowed)) << "connect";
  EXPECT_THAT(verdict(rules, {kSemget, {}, AUDIT_ARCH_I386}), Optional(errno_answer(EPERM)));
  EXPECT_THAT(verdict(rules, {kIpc, {2}, AUDIT_ARCH_I386}), Optional(errno_answer(EPERM)));
  EXPECT_THAT(verdict(rules, {kIpc, {0x1'0002}, AUDIT_ARCH_I386}), Optional(errno_answer(EPERM)))
      << "version 1";
}
#endif

TEST(FlagsTest, AreTheKernels) {
  auto rules = profile("SCMP_ACT_ALLOW", {});
  EXPECT_THAT(flags_of(rules), Yields(0u));
  rules.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"};
  EXPECT_THAT(flags_of(rules),
              Yields(SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC));
  rules.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  EXPECT_THAT(flags_of(rules), FailsSaying("SCMP_ACT_NOTIFY"));
  EXPECT_FALSE(uses_notify(rules));
  rules.syscalls = {{{"mkdir"}, "SCMP_ACT_NOTIFY", {}, {}}};
  EXPECT_TRUE(uses_notify(rules));
  EXPECT_THAT(flags_of(rules),
              Yields(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER));
  rules.flags = {"SECCOMP_FILTER_FLAG_SPEED"};
  EXPECT_THAT(flags_of(rules), FailsSaying("SECCOMP_FILTER_FLAG_SPEED"));
}

}  // namespace
}  // namespace nacre::runtime::seccomp
