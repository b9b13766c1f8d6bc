// SPDX-License-Identifier: Apache-2.0
#include "runtime/seccomp/default_profile.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "runtime/capabilities.h"
#include "runtime/seccomp/default_rules.h"
#include "runtime/seccomp/filter.h"
#include "tests/support/bpf_interpreter.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::seccomp {
namespace {

using test::run_filter;
using test::Succeeds;

constexpr std::uint32_t kAllowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kUnknown = SECCOMP_RET_ERRNO | ENOSYS;

class DefaultProfileTest : public ::testing::Test {
 protected:
  using Arguments = std::array<std::uint64_t, 6>;

  void capabilities(const std::vector<std::string>& names) {
    auto compiled = compile(default_profile(names));
    ASSERT_THAT(compiled, Succeeds());
    program_ = std::move(*compiled);
  }
  void SetUp() override { capabilities(capabilities::default_capabilities()); }

  std::uint32_t verdict(const char* name, Arguments arguments = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    EXPECT_GE(number, 0) << name;
    return run_filter(program_, {static_cast<std::uint32_t>(number), arguments, native()}).value_or(0);
  }

  static std::uint32_t native() {
#ifdef __aarch64__
    return AUDIT_ARCH_AARCH64;
#else
    return AUDIT_ARCH_X86_64;
#endif
  }

  std::vector<sock_filter> program_;
};

TEST_F(DefaultProfileTest, OrdinaryProgramsWork) {
  for (const auto* name : {"read",
                           "openat",
                           "openat2",
                           "execve",
                           "wait4",
                           "mmap",
                           "futex",
                           "futex_waitv",
                           "statx",
                           "getrandom",
                           "rseq",
                           "membarrier",
                           "copy_file_range",
                           "epoll_pwait2",
                           "memfd_create",
                           "close_range",
                           "setuid",
                           "setgroups",
                           "chown",
                           "mknod",
                           "fchmodat2",
                           "prlimit64",
                           "sysinfo",
                           "sched_getaffinity",
                           "sched_setaffinity",
                           "timer_create",
                           "pidfd_open",
                           "pidfd_send_signal",
                           "inotify_add_watch",
                           "landlock_create_ruleset",
                           "seccomp",
                           "prctl",
                           "ptrace",
                           "process_vm_readv",
                           "flock",
                           "setxattr",
                           "chroot",
                           "fallocate",
                           "splice",
                           "io_submit",
                           "shmget",
                           "mq_open",
                           "clock_nanosleep"})
    EXPECT_EQ(verdict(name), kAllowed) << name;
}

TEST_F(DefaultProfileTest, WhatReachesOutOfTheContainerIsRefused) {
  for (const auto* name : {"mount",
                           "umount2",
                           "move_mount",
                           "open_tree",
                           "fsopen",
                           "fsmount",
                           "fsconfig",
                           "fspick",
                           "mount_setattr",
                           "pivot_root",
                           "unshare",
                           "setns",
                           "bpf",
                           "perf_event_open",
                           "keyctl",
                           "add_key",
                           "request_key",
                           "kexec_load",
                           "kexec_file_load",
                           "init_module",
                           "finit_module",
                           "delete_module",
                           "userfaultfd",
                           "reboot",
                           "swapon",
                           "swapoff",
                           "settimeofday",
                           "clock_settime",
                           "open_by_handle_at",
                           "syslog",
                           "acct",
                           "quotactl",
                           "sethostname",
                           "fanotify_init",
                           "kcmp",
                           "pidfd_getfd"})
    EXPECT_EQ(verdict(name), kRefused) << name;
}

TEST_F(DefaultProfileTest, WhatTheTableDoesNotKnowSeemsToBeMissing) {
  for (const auto* name :
       {"io_uring_setup", "io_uring_enter", "io_uring_register", "nfsservctl", "uselib", "sysfs"})
    EXPECT_EQ(verdict(name), kUnknown) << name;
  EXPECT_EQ(run_filter(program_, {600, {}, native()}), kUnknown) << "a call of the future";
}

TEST_F(DefaultProfileTest, ThreadsAndProcessesButNoNamespaces) {
  constexpr std::uint64_t kThread =
      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SETTLS;
  EXPECT_EQ(verdict("clone", {SIGCHLD}), kAllowed);
  EXPECT_EQ(verdict("clone", {kThread}), kAllowed);
  for (const std::uint64_t flag :
       {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET})
    EXPECT_EQ(verdict("clone", {flag | SIGCHLD}), kRefused) << std::hex << flag;
  EXPECT_EQ(verdict("clone", {CLONE_NEWUSER | CLONE_NEWNS | kThread}), kRefused);
  EXPECT_EQ(verdict("clone3"), kUnknown) << "so that libc takes clone";
}

TEST_F(DefaultProfileTest, PersonalitiesThatWeakenNothing) {
  for (const std::uint64_t value : {0x0, 0x8, 0x20000, 0x20008})
    EXPECT_EQ(verdict("personality", {value}), kAllowed);
  EXPECT_EQ(verdict("personality", {0xffffffff}), kAllowed);
  EXPECT_EQ(verdict("personality", {ADDR_NO_RANDOMIZE}), kUnknown);
  EXPECT_EQ(verdict("personality", {READ_IMPLIES_EXEC}), kUnknown);
}

TEST_F(DefaultProfileTest, EveryAddressFamilyButVsock) {
  for (std::uint64_t family = 0; family < AF_MAX; ++family)
    EXPECT_EQ(verdict("socket", {family, SOCK_STREAM, 0}), family == AF_VSOCK ? kRefused : kAllowed)
        << family;
  // The kernel looks at 32 bits only, and so must the filter.
  EXPECT_EQ(verdict("socket", {AF_VSOCK | 0x1'0000'0000, SOCK_STREAM, 0}), kRefused);
}

TEST_F(DefaultProfileTest, AuditSocketsAreMissingRatherThanUseless) {
  constexpr std::uint64_t kAudit = 9, kRoute = 0;
  EXPECT_EQ(verdict("socket", {AF_NETLINK, SOCK_RAW, kRoute}), kAllowed);
  EXPECT_EQ(verdict("socket", {AF_NETLINK, SOCK_RAW, kAudit}), SECCOMP_RET_ERRNO | EINVAL);
  capabilities({"CAP_AUDIT_WRITE"});
  EXPECT_EQ(verdict("socket", {AF_NETLINK, SOCK_RAW, kAudit}), kAllowed);
}

TEST_F(DefaultProfileTest, CapabilitiesOpenTheirCalls) {
  const std::pair<const char*, const char*> cases[]{
      {"CAP_SYS_ADMIN", "mount"},
      {"CAP_SYS_ADMIN", "unshare"},
      {"CAP_SYS_ADMIN", "clone3"},
      {"CAP_SYS_ADMIN", "bpf"},
      {"CAP_BPF", "bpf"},
      {"CAP_PERFMON", "perf_event_open"},
      {"CAP_SYSLOG", "syslog"},
      {"CAP_SYS_BOOT", "reboot"},
      {"CAP_SYS_MODULE", "init_module"},
      {"CAP_SYS_TIME", "settimeofday"},
      {"CAP_SYS_TIME", "clock_settime"},
      {"CAP_DAC_READ_SEARCH", "open_by_handle_at"},
      {"CAP_SYS_NICE", "set_mempolicy"},
      {"CAP_SYS_PTRACE", "kcmp"},
      {"CAP_SYS_PACCT", "acct"},
      {"CAP_SYS_CHROOT", "chroot"},
      {"CAP_SYS_TTY_CONFIG", "vhangup"},
  };
  for (const auto& [capability, name] : cases) {
    capabilities({});
    EXPECT_NE(verdict(name), kAllowed) << name;
    capabilities({capability});
    EXPECT_EQ(verdict(name), kAllowed) << name << " with " << capability;
  }
  capabilities({"CAP_SYS_ADMIN"});
  EXPECT_EQ(verdict("clone", {CLONE_NEWUSER | SIGCHLD}), kAllowed);
  EXPECT_EQ(verdict("keyctl"), kRefused) << "keyrings are not per container";
}

TEST_F(DefaultProfileTest, NestingAllowsNamespacesAndNoMore) {
  auto compiled = compile(default_profile({}, true));
  ASSERT_THAT(compiled, test::Succeeds());
  program_ = std::move(*compiled);
  for (const auto* name : {"mount", "pivot_root", "unshare", "setns", "open_tree", "clone3"})
    EXPECT_EQ(verdict(name), kAllowed) << name;
  EXPECT_EQ(verdict("clone", {CLONE_NEWUSER | SIGCHLD}), kAllowed);
  for (const auto* name :
       {"bpf", "perf_event_open", "quotactl", "keyctl", "init_module", "userfaultfd", "swapon"})
    EXPECT_EQ(verdict(name), kRefused) << name;
}

#ifdef __x86_64__
TEST_F(DefaultProfileTest, OldAndForeignProgramsWorkToo) {
  EXPECT_EQ(run_filter(program_, {3, {}, AUDIT_ARCH_I386}), kAllowed) << "read";
  EXPECT_EQ(run_filter(program_, {403, {}, AUDIT_ARCH_I386}), kAllowed) << "clock_gettime64";
  EXPECT_EQ(run_filter(program_, {102, {1}, AUDIT_ARCH_I386}), kAllowed) << "socketcall(SYS_SOCKET)";
  EXPECT_EQ(run_filter(program_, {359, {AF_INET}, AUDIT_ARCH_I386}), kAllowed) << "socket";
  EXPECT_EQ(run_filter(program_, {21, {}, AUDIT_ARCH_I386}), kRefused) << "mount";
  EXPECT_EQ(run_filter(program_, {288, {}, AUDIT_ARCH_I386}), kRefused) << "keyctl";
  EXPECT_EQ(run_filter(program_, {120, {CLONE_NEWUSER}, AUDIT_ARCH_I386}), kRefused) << "clone";
  EXPECT_EQ(run_filter(program_, {0x40000000 | SYS_mount}), kRefused) << "mount of x32";
  EXPECT_EQ(run_filter(program_, {0x40000000 | SYS_read}), kAllowed) << "read of x32";
}
#endif

// The table is written by hand: no name twice, none in two places, none misspelt.
TEST(DefaultRulesTest, TheTableIsSound) {
  std::multiset<std::string_view> names(always_allowed().begin(), always_allowed().end());
  names.insert(always_refused().begin(), always_refused().end());
  for (const auto& group : capability_groups()) names.insert(group.names.begin(), group.names.end());
  for (const auto name : names) EXPECT_EQ(names.count(name), 1u) << name;
  for (const auto& rule : argument_rules()) EXPECT_FALSE(names.contains(rule.name)) << rule.name;
  for (const auto* name : {"clone", "clone3"}) EXPECT_FALSE(names.contains(name)) << name;
  // Every name is a call here or on another architecture, or is newer than this libseccomp.
  const std::set<std::string_view> newer{
      "getxattrat",     "setxattrat", "listxattrat",       "removexattrat",     "file_getattr",
      "file_setattr",   "mseal",      "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
      "open_tree_attr", "listmount",  "statmount",         "riscv_hwprobe"};
  for (const auto name : names) {
    const bool known = seccomp_syscall_resolve_name(std::string(name).c_str()) != __NR_SCMP_ERROR;
    EXPECT_TRUE(known || newer.contains(name)) << name;
  }
}

TEST(DefaultRulesTest, TheProgramFitsTheKernel) {
  for (const auto& held : {std::vector<std::string>{}, std::vector<std::string>{"CAP_SYS_ADMIN"}}) {
    const auto program = compile(default_profile(held));
    ASSERT_THAT(program, Succeeds());
    EXPECT_LE(program->size(), static_cast<std::size_t>(BPF_MAXINSNS));
  }
}

}  // namespace
}  // namespace nacre::runtime::seccomp
