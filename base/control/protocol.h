// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

// How a runtime tells nacre-procfs about a container: one JSON object per SOCK_SEQPACKET
// message, descriptors beside it. The daemon accepts root and its own user only.
namespace nacre::control {

// Both sides must say the same number in their first message.
inline constexpr int kVersion = 1;

// "$NACRE_PROCFS_DIR/control" or /run/nacre/procfs/control.
std::string socket_path();
// The directory of the socket and of the daemon's mount.
std::string daemon_directory();

struct Request;

struct Registration {
  std::string id;
  pid_t init = 0;  // the container's first process, in the daemon's pid namespace
  // The cgroup whose limits are the container's, in every hierarchy; empty: those that `init` is in.
  std::string cgroup_path;
  // CLOCK_BOOTTIME of the container minus that of the host, in nanoseconds
  // (time_namespaces(7)); 0 without a time namespace of its own.
  std::int64_t boottime_offset = 0;
  bool own_time_namespace = false;
  // Its CPUs keep the machine's numbers, for programs that bind threads to CPUs by number; otherwise they are
  // numbered from 0.
  bool physical_cpus = false;
  // It may be registered already by this very request, whose answer was lost: its mounts are handed out once
  // more.
  bool again = false;
};

// One thing to attach inside the container: a detached mount of a file or directory, and
// the absolute path it belongs on ("/proc/meminfo", "/sys/devices/system/cpu").
struct ViewMount {
  std::string target;
  UniqueFd mount;
};

// Whether that target is only for containers in which it cannot be written: who may write to /sys/block
// manages the machine's disks, and has to see them.
inline bool only_where_read_only(std::string_view target) { return target == "/sys/block"; }

struct Status {
  pid_t pid = 0;
  std::uint64_t containers = 0;
  std::uint64_t descriptors = 0;  // open in the daemon
};

// A connection to the daemon. Every call is one request and one answer; an error carries
// the daemon's own words. When the daemon is replaced in the middle of a call, its successor is asked once
// more.
class Client {
 public:
  // ENOENT or ECONNREFUSED when no daemon runs; a version mismatch names both versions.
  static Result<Client> connect(const std::string& path = socket_path());

  // EEXIST when the id is registered and its init still lives.
  Result<std::vector<ViewMount>> add(const Registration& registration);
  // Hands over a seccomp listener (seccomp_unotify(2)) for a container's sysinfo(2) and
  // sched_getaffinity(2). The daemon keeps it until nobody is filtered by it any more.
  Result<> add_listener(std::string_view id, int listener);
  // Forgets a container. An unknown id is success.
  Result<> remove(std::string_view id);
  Result<Status> status();

 private:
  Client(UniqueFd socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
  struct Reply;
  Result<Reply> call(Request request, std::span<const int> fds = {});

  UniqueFd socket_;
  std::string path_;
};

}  // namespace nacre::control
