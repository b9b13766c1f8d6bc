// SPDX-License-Identifier: Apache-2.0
#include "runtime/seccomp/default_rules.h"

#include <sched.h>

#include <array>
#include <cerrno>

namespace nacre::runtime::seccomp {
namespace {

// By what they are about. Names without a number on some architecture, or newer than libseccomp,
// are skipped there. The *64 and *_time64 ones belong to 32-bit architectures.
// clang-format off
constexpr std::array kAllowed = std::to_array<std::string_view>({
    // Files: opening, reading, writing
    "open", "openat", "openat2", "creat", "close", "close_range", "read", "write", "pread64", "pwrite64",
    "readv", "writev", "preadv", "pwritev", "preadv2", "pwritev2", "lseek", "_llseek", "sendfile",
    "sendfile64", "splice", "tee", "vmsplice", "copy_file_range", "readahead", "fadvise64",
    "fadvise64_64", "arm_fadvise64_64", "fallocate", "truncate", "truncate64", "ftruncate", "ftruncate64",
    "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "sync_file_range2", "arm_sync_file_range",
    "flock", "fcntl", "fcntl64", "ioctl", "dup", "dup2", "dup3", "pipe", "pipe2", "cachestat",
    "memfd_create", "memfd_secret",
    // Files: names and attributes
    "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "fstatat64", "newfstatat", "statx",
    "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2", "chmod", "fchmod",
    "fchmodat", "fchmodat2", "chown", "chown32", "fchown", "fchown32", "fchownat", "lchown", "lchown32",
    "link", "linkat", "symlink", "symlinkat", "readlink", "readlinkat", "unlink", "unlinkat", "rename",
    "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "mknod", "mknodat", "getdents", "getdents64",
    "readdir", "chdir", "fchdir", "getcwd", "umask", "utime", "utimes", "utimensat", "utimensat_time64",
    "futimesat", "getxattr", "lgetxattr", "fgetxattr", "getxattrat", "setxattr", "lsetxattr", "fsetxattr",
    "setxattrat", "listxattr", "llistxattr", "flistxattr", "listxattrat", "removexattr", "lremovexattr",
    "fremovexattr", "removexattrat", "name_to_handle_at", "file_getattr", "file_setattr", "inotify_init",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "fanotify_mark",
    // Memory
    "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "process_madvise", "mincore",
    "msync", "mlock", "mlock2", "mlockall", "munlock", "munlockall", "mseal", "remap_file_pages",
    "pkey_alloc", "pkey_free", "pkey_mprotect", "membarrier", "map_shadow_stack", "process_mrelease",
    "shmget", "shmat", "shmdt", "shmctl",
    // Processes and threads
    "fork", "vfork", "execve", "execveat", "exit", "exit_group", "wait4", "waitid", "waitpid", "kill",
    "tkill", "tgkill", "getpid", "getppid", "gettid", "getpgid", "setpgid", "getpgrp", "getsid", "setsid",
    "pidfd_open", "pidfd_send_signal", "ptrace", "process_vm_readv", "process_vm_writev", "prctl",
    "arch_prctl", "modify_ldt", "set_thread_area", "get_thread_area", "set_tls", "get_tls", "cacheflush",
    "breakpoint", "riscv_flush_icache", "riscv_hwprobe", "set_tid_address", "set_robust_list",
    "get_robust_list", "rseq", "futex", "futex_time64", "futex_waitv", "futex_wait", "futex_wake",
    "futex_requeue", "getpriority", "setpriority", "nice", "ioprio_get", "ioprio_set", "sched_yield",
    "sched_getparam", "sched_setparam", "sched_getscheduler", "sched_setscheduler", "sched_getattr",
    "sched_setattr", "sched_getaffinity", "sched_setaffinity", "sched_get_priority_max",
    "sched_get_priority_min", "sched_rr_get_interval", "sched_rr_get_interval_time64", "getcpu",
    "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getrusage", "times", "uname", "sysinfo",
    "olduname", "oldolduname", "restart_syscall",
    // Users and rights
    "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "setuid",
    "setuid32", "setgid", "setgid32", "setreuid", "setreuid32", "setregid", "setregid32", "getresuid",
    "getresuid32", "setresuid", "setresuid32", "getresgid", "getresgid32", "setresgid", "setresgid32",
    "setfsuid", "setfsuid32", "setfsgid", "setfsgid32", "getgroups", "getgroups32", "setgroups",
    "setgroups32", "capget", "capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
    "landlock_restrict_self", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
    // Signals
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sigaction", "signal", "sigpending",
    "sigprocmask", "sigreturn", "sigsuspend", "sgetmask", "ssetmask", "sigaltstack", "signalfd",
    "signalfd4", "pause", "alarm",
    // Time
    "time", "gettimeofday", "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64",
    "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "getitimer", "setitimer", "timer_create",
    "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime",
    "timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
    "timerfd_settime64", "adjtimex", "clock_adjtime", "clock_adjtime64",
    // Waiting
    "select", "_newselect", "pselect6", "pselect6_time64", "poll", "ppoll", "ppoll_time64",
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old",
    "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "io_setup", "io_destroy", "io_submit",
    "io_cancel", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
    // Networking; socket(2) itself is below
    "socketcall", "socketpair", "bind", "listen", "accept", "accept4", "connect", "shutdown",
    "getsockname", "getpeername", "getsockopt", "setsockopt", "send", "sendto", "sendmsg", "sendmmsg",
    "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
    // System V and POSIX IPC
    "ipc", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semctl", "semtimedop",
    "semtimedop_time64", "mq_open", "mq_unlink", "mq_getsetattr", "mq_notify", "mq_timedsend",
    "mq_timedsend_time64", "mq_timedreceive", "mq_timedreceive_time64",
    // Random numbers
    "getrandom",
});
// clang-format on

constexpr std::array kRefused = std::to_array<std::string_view>({
    // Keyrings are not per container.
    "add_key",
    "keyctl",
    "request_key",
    // Other processes' page faults handled in user space: a tool of kernel exploits.
    "userfaultfd",
    "swapon",
    "swapoff",
    "kexec_load",
    "kexec_file_load",
});

// CAP_SYS_ADMIN in the user namespace of what they change.
constexpr std::array kNamespaces = std::to_array<std::string_view>({
    "mount",
    "umount",
    "umount2",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "open_tree_attr",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "listmount",
    "statmount",
    "pivot_root",
    "unshare",
    "setns",
    "sethostname",
    "setdomainname",
});

constexpr std::uint64_t kInt = 0xffffffff;

constexpr std::array kArguments{
    // Linux and its 32-bit variant, with and without the old version number, and the question.
    ArgumentRule{"personality", 0, kInt, 0x0},
    ArgumentRule{"personality", 0, kInt, 0x8},
    ArgumentRule{"personality", 0, kInt, 0x20000},
    ArgumentRule{"personality", 0, kInt, 0x20008},
    ArgumentRule{"personality", 0, kInt, 0xffffffff},
    // Every address family below 48 but netlink (16), which default_profile() looks at, and vsock
    // (40), which reaches the hypervisor around the network namespace. Ranges are aligned blocks,
    // because a rule has one comparison an argument.
    ArgumentRule{"socket", 0, kInt & ~15u, 0},
    ArgumentRule{"socket", 0, kInt, 17},
    ArgumentRule{"socket", 0, kInt & ~1u, 18},
    ArgumentRule{"socket", 0, kInt & ~3u, 20},
    ArgumentRule{"socket", 0, kInt & ~7u, 24},
    ArgumentRule{"socket", 0, kInt & ~7u, 32},
    ArgumentRule{"socket", 0, kInt, 40, EPERM},
    ArgumentRule{"socket", 0, kInt, 41},
    ArgumentRule{"socket", 0, kInt & ~1u, 42},
    ArgumentRule{"socket", 0, kInt & ~3u, 44},
};

// The flags are clone's first argument everywhere but on s390.
#ifdef __s390__
constexpr unsigned kFlags = 1;
#else
constexpr unsigned kFlags = 0;
#endif
constexpr std::uint64_t kNamespaceFlags =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
static_assert(kNamespaceFlags == 0x7E020000);

constexpr ArgumentRule refuse_flag(std::uint64_t flag) { return {"clone", kFlags, flag, flag, EPERM}; }
constexpr std::array kClone{
    ArgumentRule{"clone", kFlags, kNamespaceFlags, 0},
    refuse_flag(CLONE_NEWNS),
    refuse_flag(CLONE_NEWCGROUP),
    refuse_flag(CLONE_NEWUTS),
    refuse_flag(CLONE_NEWIPC),
    refuse_flag(CLONE_NEWUSER),
    refuse_flag(CLONE_NEWPID),
    refuse_flag(CLONE_NEWNET),
};

}  // namespace

Names always_allowed() { return kAllowed; }
Names always_refused() { return kRefused; }
Names namespace_calls() { return kNamespaces; }
std::span<const ArgumentRule> argument_rules() { return kArguments; }
std::span<const ArgumentRule> clone_rules() { return kClone; }

const std::vector<CapabilityGroup>& capability_groups() {
  static const std::vector<CapabilityGroup> kGroups{
      {{"CAP_SYS_ADMIN"}, {"quotactl", "quotactl_fd", "fanotify_init", "lookup_dcookie"}},
      {{"CAP_SYS_ADMIN", "CAP_BPF"}, {"bpf"}},
      {{"CAP_SYS_ADMIN", "CAP_PERFMON"}, {"perf_event_open"}},
      {{"CAP_SYS_ADMIN", "CAP_SYSLOG"}, {"syslog"}},
      {{"CAP_DAC_READ_SEARCH"}, {"open_by_handle_at"}},
      {{"CAP_SYS_BOOT"}, {"reboot"}},
      {{"CAP_SYS_CHROOT"}, {"chroot"}},
      {{"CAP_SYS_MODULE"}, {"init_module", "finit_module", "delete_module"}},
      {{"CAP_SYS_NICE"},
       {"get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "mbind", "move_pages", "migrate_pages"}},
      {{"CAP_SYS_PACCT"}, {"acct"}},
      {{"CAP_SYS_PTRACE"}, {"kcmp", "pidfd_getfd"}},
      {{"CAP_SYS_RAWIO"}, {"iopl", "ioperm"}},
      {{"CAP_SYS_TIME"}, {"settimeofday", "stime", "clock_settime", "clock_settime64"}},
      {{"CAP_SYS_TTY_CONFIG"}, {"vhangup"}},
  };
  return kGroups;
}

}  // namespace nacre::runtime::seccomp
