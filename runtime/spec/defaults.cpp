// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/defaults.h"

#include "runtime/capabilities.h"
#include "runtime/seccomp/default_profile.h"

namespace nacre::runtime::spec {

std::vector<Mount> default_mounts() {
  return {
      {"/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"/dev/pts",
       "devpts",
       "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
}

std::vector<std::string> default_masked_paths() {
  return {"/proc/acpi",          "/proc/asound",
          "/proc/kcore",         "/proc/keys",
          "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats",   "/proc/sched_debug",
          "/proc/scsi",          "/proc/interrupts",
          "/sys/firmware",       "/sys/fs/selinux",
          "/sys/dev/block",      "/sys/devices/virtual/powercap"};
}

std::vector<std::string> default_readonly_paths() {
  return {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
}

std::vector<std::string> default_environment() {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
}

Spec default_spec() {
  Spec spec;
  spec.oci_version = "1.2.0";
  spec.root_path = "rootfs";
  spec.hostname = "nacre";
  spec.mounts = default_mounts();

  auto& process = spec.process.emplace();
  process.terminal = true;
  process.args = {"sh"};
  process.env = default_environment();
  process.no_new_privileges = true;
  const auto& names = capabilities::default_capabilities();
  process.capabilities = Capabilities{
      .bounding = names, .effective = names, .inheritable = {}, .permitted = names, .ambient = {}};

  auto& linux = spec.linux_;
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"})
    linux.namespaces.push_back({type, ""});
  linux.masked_paths = default_masked_paths();
  linux.readonly_paths = default_readonly_paths();
  linux.resources.devices = {DeviceRule{}};  // none but the default ones
  linux.seccomp = seccomp::default_profile(names);
  return spec;
}

}  // namespace nacre::runtime::spec
