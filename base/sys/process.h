// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

// Processes by pidfd.
namespace nacre::sys {

Result<UniqueFd> pidfd_open(pid_t pid);
Result<> pidfd_signal(int pidfd, int signal);

// How a waited-for child ended, as a shell reports it: its code, or 128 + signal.
Result<int> wait_for(pid_t child);

struct SpawnOptions {
  std::vector<std::string> argv;  // argv[0] is the path of the program
  // Environment as K=V; unset means the caller's own.
  std::optional<std::vector<std::string>> environment;
  // Descriptors of ours and their numbers in the program. 0, 1 and 2 not named here are
  // /dev/null; every other descriptor is closed.
  std::vector<std::pair<int, int>> fds;
  // cgroup.procs files the child writes itself into before the program starts.
  std::vector<std::string> cgroup_procs;
  bool new_session = true;
};
// As execve(2) wants its arrays: pointers into `strings`, and a null pointer.
std::vector<char*> exec_array(const std::vector<std::string>& strings);
// Default signal dispositions and an empty mask, whatever the caller had.
void reset_signals();
// As many open descriptors as this process may have without a capability (RLIMIT_NOFILE, its hard limit).
void raise_descriptor_limit();
// Makes room for `count` descriptors, as far as the limit allows, at 8 bytes each. While a process has one
// thread that is done at once; later whoever opens one too many waits for all processors, some 10 ms (kernel:
// fs/file.c, expand_fdtable).
void reserve_descriptors(int count);

// Starts a program and returns its pid once exec(2) has succeeded; the error names the
// program and the step. The child is the caller's to wait for.
Result<pid_t> spawn(const SpawnOptions& options);

// The same, but detached: the program is not our child (it is adopted by init or by the
// nearest subreaper), so nobody has to wait for it.
Result<pid_t> spawn_detached(const SpawnOptions& options);

// What /proc/PID/stat (proc_pid_stat(5)) says; ESRCH when there is no such process.
struct ProcessStat {
  char state = '?';
  pid_t parent = 0;
  std::uint64_t start_ticks = 0;  // since boot, in clock ticks of 1/100 s
};
Result<ProcessStat> parse_process_stat(std::string_view text);
Result<ProcessStat> process_stat(pid_t pid);

}  // namespace nacre::sys
