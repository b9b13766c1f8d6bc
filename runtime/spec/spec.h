// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// config.json of the OCI runtime specification (runtime-spec 1.2, config.md and
// config-linux.md) as plain values. Names follow the specification.
namespace nacre::runtime::spec {

struct IdMapping {
  std::uint32_t container_id = 0;
  std::uint32_t host_id = 0;
  std::uint32_t size = 0;
};

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::optional<mode_t> umask;
  std::vector<gid_t> additional_gids;
};

// Capability names as in capabilities(7), "CAP_CHOWN".
struct Capabilities {
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  std::uint64_t soft = 0, hard = 0;
};

struct Process {
  bool terminal = false;
  unsigned console_height = 0, console_width = 0;
  User user;
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
  std::optional<Capabilities> capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string apparmor_profile, selinux_label;
};

struct Mount {
  std::string destination, type, source;
  std::vector<std::string> options;
};

struct Hook {
  std::string path;
  std::vector<std::string> args, env;
  std::optional<int> timeout_seconds;
};

struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart, poststop;
};

struct Namespace {
  std::string type;  // "pid", "network", "ipc", "uts", "mount", "user", "cgroup", "time"
  std::string path;  // an existing namespace to join; empty: a new one
};

struct TimeOffset {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};

struct Device {
  std::string path, type;  // type: "c", "b", "u", "p"
  std::int64_t major = 0, minor = 0;
  std::optional<mode_t> file_mode;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
};

// A rule that says nothing denies everything.
struct DeviceRule {
  bool allow = false;
  std::string type = "a";                    // "a", "c", "b"
  std::optional<std::int64_t> major, minor;  // unset: every number
  std::string access = "rwm";
};

struct MemoryResources {
  std::optional<std::int64_t> limit, reservation, swap;  // bytes; -1: no limit; swap is memory+swap
  std::optional<std::uint64_t> swappiness;
  std::optional<bool> disable_oom_killer;
};

struct CpuResources {
  std::optional<std::uint64_t> shares, period, burst;  // microseconds, but for shares
  std::optional<std::int64_t> quota;                   // microseconds; -1: none
  std::optional<std::int64_t> idle;
  std::string cpus, mems;  // lists, "0-3"
};

struct HugepageLimit {
  std::string page_size;  // "2MB"
  std::uint64_t limit = 0;
};

struct WeightDevice {
  std::int64_t major = 0, minor = 0;
  std::uint64_t value = 0;  // weight, or bytes or operations a second
};

struct BlockIoResources {
  std::optional<std::uint16_t> weight;
  std::vector<WeightDevice> weight_devices, read_bps, write_bps, read_iops, write_iops;
};

struct Resources {
  MemoryResources memory;
  CpuResources cpu;
  std::optional<std::int64_t> pids_limit;  // -1: no limit
  std::vector<DeviceRule> devices;
  BlockIoResources block_io;
  std::vector<HugepageLimit> hugepage_limits;
  std::map<std::string, std::string> unified;  // v2 file name to value
};

struct SeccompArg {
  unsigned index = 0;
  std::uint64_t value = 0, value_two = 0;
  std::string op;  // "SCMP_CMP_EQ" …
};

struct SeccompSyscall {
  std::vector<std::string> names;
  std::string action;  // "SCMP_ACT_ALLOW" …
  std::optional<unsigned> errno_ret;
  std::vector<SeccompArg> args;
};

struct Seccomp {
  std::string default_action;
  std::optional<unsigned> default_errno_ret;
  std::vector<std::string> architectures, flags;
  std::vector<SeccompSyscall> syscalls;
  std::string listener_path, listener_metadata;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::map<std::string, TimeOffset> time_offsets;  // "monotonic", "boottime"
  std::vector<Device> devices;
  std::string cgroups_path;
  Resources resources;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;
  std::vector<std::string> masked_paths, readonly_paths;
  std::map<std::string, std::string> sysctl;
  std::string mount_label;
};

struct Spec {
  std::string oci_version;
  std::optional<Process> process;
  std::string root_path;  // relative to the bundle when it does not begin with '/'
  bool root_readonly = false;
  std::string hostname, domainname;
  std::vector<Mount> mounts;
  Hooks hooks;
  std::map<std::string, std::string> annotations;
  Linux linux_;
};

}  // namespace nacre::runtime::spec
