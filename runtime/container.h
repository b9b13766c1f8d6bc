// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/spec/spec.h"
#include "runtime/state/store.h"

// The runtime as a library: what the commands of nacre-runtime and `nacre run` are made of.
// Everywhere `root` is the state directory and `id` a container's name in it. Errors are one
// line each, worded as engines expect them (container "x" does not exist; container not
// running; executable file not found in $PATH).
namespace nacre::runtime {

struct CreateOptions {
  std::string root;  // state directory, made when missing
  std::string id;
  std::string bundle;  // absolute; relative paths of the spec begin here
  spec::Spec spec;
  std::string console_socket;  // gets the pty's master; required for a terminal
  std::string pid_file;
  unsigned preserve_fds = 0;  // this many descriptors from 3 on reach the command
  bool no_pivot = false;
  bool no_new_keyring = false;
  // A detached mount used as the root instead of spec.root_path; -1: none. Stays the caller's.
  int rootfs_mount = -1;
  // The cgroup the /proc view is computed from; empty: the container's own.
  std::string view_cgroup;
  bool view_affinity = false;  // answer sched_getaffinity(2) within the CPU quota
  bool require_view = false;   // an error instead of a container without the view
};

// Makes a container and leaves its init, a child of the caller, waiting for start().
// Returns its pid. After an error nothing is left: no process, cgroup, mount or state.
Result<pid_t> create(const CreateOptions& options);

// Lets the init execute the command. Reports the failure of that execve(2).
Result<> start(const std::string& root, const std::string& id);

// `all` signals every process of the container's cgroup, and is no error when it has stopped.
Result<> kill(const std::string& root, const std::string& id, int signal, bool all);

// Removes a stopped (or merely created) container: cgroup, view, state, poststop hooks.
// `force` kills what still runs first and makes an unknown id a success.
Result<> remove(const std::string& root, const std::string& id, bool force);

// What is known, with `status` as it is now.
Result<State> state(const std::string& root, const std::string& id);
Result<std::vector<State>> list(const std::string& root);

struct ExecOptions {
  std::string root, id;
  spec::Process process;
  std::string console_socket, pid_file;
  bool detach = false;
  unsigned preserve_fds = 0;
  bool ignore_paused = false;
};

// Starts another process in a running container; returns its pid once its execve(2) has
// succeeded. It is a child of the caller, who waits for it.
Result<pid_t> exec(const ExecOptions& options);

}  // namespace nacre::runtime
