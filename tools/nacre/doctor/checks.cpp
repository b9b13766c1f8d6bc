// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/doctor/checks.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/cgroup/hierarchy.h"
#include "base/control/protocol.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "tools/nacre/doctor/attempt.h"
#include "tools/nacre/doctor/fuse_probe.h"
#include "tools/nacre/paths.h"

namespace nacre::tool::doctor {
namespace {

Finding ok(std::string detail) { return {Verdict::ok, std::move(detail), ""}; }
Finding degraded(std::string detail, std::string fix) {
  return {Verdict::degraded, std::move(detail), std::move(fix)};
}
Finding missing(std::string detail, std::string fix) {
  return {Verdict::missing, std::move(detail), std::move(fix)};
}

std::string words(int code) { return std::strerror(code); }

Finding root() {
  if (::geteuid() == 0) return ok("running as root");
  return missing("running as uid " + std::to_string(::geteuid()), "run as root, or with sudo");
}

Finding fuse_device() {
  const auto device = sys::open_at(AT_FDCWD, "/dev/fuse", O_RDWR);
  if (device) return ok("/dev/fuse opens");
  return missing("/dev/fuse: " + words(device.error().code),
                 "modprobe fuse; in a container, start it with --device /dev/fuse");
}

Finding fuse_mount() {
  const auto offer = probe_fuse();
  if (offer) return ok("protocol " + std::to_string(offer->major) + "." + std::to_string(offer->minor));
  return missing(offer.error().message(), "needs the right to mount (CAP_SYS_ADMIN) and Linux 5.6 or newer");
}

Finding fuse_feature(bool offered, const char* since, const char* without) {
  if (offered) return ok("offered by the kernel");
  return degraded("not offered by the kernel", std::string("Linux ") + since + "; without it " + without);
}
Finding passthrough() {
  const auto offer = probe_fuse();
  return fuse_feature(offer && offer->passthrough(), "6.9 or newer", "file data passes through the daemon");
}
Finding resend() {
  const auto offer = probe_fuse();
  return fuse_feature(offer && offer->resend(), "6.9 or newer",
                      "requests under way are lost when a daemon restarts");
}

Finding mount_api() {
  const auto mount = sys::new_mount("tmpfs", {}, 0);
  if (mount) return ok("fsopen, fsmount and move_mount");
  return missing(mount.error().message(), "needs CAP_SYS_ADMIN and Linux 5.2 or newer");
}

Finding cgroups() {
  const auto hierarchies = cgroup::Hierarchies::detect();
  if (!hierarchies || hierarchies->mode() == cgroup::Mode::none)
    return missing("no cgroup file system is mounted", "mount -t cgroup2 none /sys/fs/cgroup");
  std::string detail(cgroup::name_of(hierarchies->mode()));
  std::string absent;
  for (const char* controller : {"cpu", "cpuset", "memory", "pids"}) {
    const auto* hierarchy = hierarchies->of(controller);
    if (hierarchy == nullptr)
      absent += std::string(absent.empty() ? "" : ", ") + controller;
    else if (::access(hierarchy->mountpoint.c_str(), W_OK) != 0)
      return missing(hierarchy->mountpoint + " cannot be written",
                     "run as root, with the cgroup file system mounted read-write");
  }
  if (!absent.empty())
    return missing(detail + ", without " + absent,
                   "enable these controllers (cgroup_disable= on the kernel command line?)");
  return ok(detail + ", with cpu, cpuset, memory and pids");
}

constexpr int kPlainChroot = 255;  // no errno is that large

template <int Flag>
int try_unshare() {
  return ::unshare(Flag) == 0 ? 0 : errno;
}
int try_namespaces() {
  constexpr int kAll =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
  if (const int code = try_unshare<kAll>(); code != 0) return code;
  return sys::set_tree_propagation(MS_SLAVE) ? 0 : kPlainChroot;
}
Finding namespaces() {
  const int code = in_child(try_namespaces);
  if (code == 0) return ok("mount, pid, uts, ipc, network, cgroup");
  if (code == kPlainChroot)
    return missing("/ is not a mount point: a plain chroot", "mount --bind DIR DIR before chroot DIR");
  return missing(words(code), "needs CAP_SYS_ADMIN; in a container, start it with --privileged");
}
Finding user_namespace() {
  const int code = in_child(try_unshare<CLONE_NEWUSER>);
  if (code == 0) return ok("can be made");
  return degraded(words(code),
                  "sysctl user.max_user_namespaces=10000; without it containers cannot have user namespaces");
}
Finding time_namespace() {
  constexpr int kNewTime = 0x80;
  const int code = in_child(try_unshare<kNewTime>);
  if (code == 0) return ok("can be made");
  return missing(words(code), "Linux 5.6 or newer with CONFIG_TIME_NS; uptime and ps start times need it");
}

int try_listener() {
  std::array<sock_filter, 1> allow{{{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  const sock_fprog program{.len = allow.size(), .filter = allow.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  const auto fd = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  return fd >= 0 ? 0 : errno;
}
Finding seccomp_notify() {
  const int code = in_child(try_listener);
  if (code == 0) return ok("a listener can be made");
  return missing(words(code),
                 "Linux 5.5 or newer with CONFIG_SECCOMP_FILTER, not already under a seccomp listener; "
                 "sysinfo(2) needs it");
}

Finding view_daemon() {
  auto client = control::Client::connect();
  if (!client) return ok("nacre-procfs is not running; nacre run starts it");
  const auto status = client->status();
  if (!status)
    return degraded("nacre-procfs answers with: " + status.error().message(),
                    "stop it: it starts again by itself");
  return ok("nacre-procfs runs as pid " + std::to_string(status->pid) + " for " +
            std::to_string(status->containers) + " containers");
}

Finding programs() {
  std::string absent;
  for (const char* name : {"nacre-fs", "nacre-procfs"})
    if (program(name) == name) absent += std::string(absent.empty() ? "" : ", ") + name;
  if (absent.empty()) return ok("nacre-fs and nacre-procfs");
  return missing("not found: " + absent, "install them beside nacre, or in a folder of PATH");
}

Finding data() {
  const auto made = sys::make_directories(containers_directory(), 0711);
  if (!made) return missing(made.error().message(), "set NACRE_DATA_DIR to a folder that can be written");
  return ok(data_directory() + " can be written");
}

}  // namespace

const std::vector<Check>& checks() {
  static const std::vector<Check> kChecks{
      {"root", root},
      {"programs", programs},
      {"data folder", data},
      {"/dev/fuse", fuse_device},
      {"FUSE", fuse_mount},
      {"FUSE passthrough", passthrough},
      {"FUSE resend", resend},
      {"mount API", mount_api},
      {"cgroups", cgroups},
      {"namespaces", namespaces},
      {"user namespace", user_namespace},
      {"time namespace", time_namespace},
      {"seccomp notify", seccomp_notify},
      {"view daemon", view_daemon},
  };
  return kChecks;
}

}  // namespace nacre::tool::doctor
