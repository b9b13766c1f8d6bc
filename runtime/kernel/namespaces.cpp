// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "runtime/kernel/linux_kernel.h"

namespace nacre::runtime::kernel {

using sys::succeed;

Result<> LinuxKernel::join_namespace(int fd) {
  return succeed([&] { return ::setns(fd, 0); });
}

Result<> LinuxKernel::new_cgroup_namespace() {
  return succeed([] { return ::unshare(CLONE_NEWCGROUP); });
}

Result<> LinuxKernel::new_time_namespace(const std::string& offsets) {
  // unshare(2) makes it for our children; we are its first member ourselves only by setns(2),
  // after the offsets are fixed (time_namespaces(7)).
  TRY(succeed([] { return ::unshare(CLONE_NEWTIME); }));
  if (!offsets.empty()) TRY(sys::write_file("/proc/self/timens_offsets", offsets));
  const auto made = TRY(sys::open_at(AT_FDCWD, "/proc/self/ns/time_for_children", O_RDONLY));
  return succeed([&] { return ::setns(made.get(), CLONE_NEWTIME); });
}

Result<> LinuxKernel::loopback_up() {
  const UniqueFd socket{TRY(sys::checked([] { return ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); }))};
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof("lo"));
  TRY(succeed([&] { return ::ioctl(socket.get(), SIOCGIFFLAGS, &request); }));
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP | IFF_RUNNING);
  return succeed([&] { return ::ioctl(socket.get(), SIOCSIFFLAGS, &request); });
}

Result<> LinuxKernel::set_hostname(const std::string& name) {
  return succeed([&] { return ::sethostname(name.c_str(), name.size()); });
}

Result<> LinuxKernel::set_domainname(const std::string& name) {
  return succeed([&] { return ::setdomainname(name.c_str(), name.size()); });
}

Result<> LinuxKernel::write_sysctl(const std::string& path, const std::string& value) {
  const auto settings = TRY(sys::open_at(AT_FDCWD, "/proc/sys", O_PATH | O_DIRECTORY));
  const auto file = TRY(sys::open_beneath(settings.get(), path.c_str(), O_WRONLY));
  return sys::write_all(file.get(), value);
}

}  // namespace nacre::runtime::kernel
