// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "runtime/process/channel.h"
#include "runtime/spec/spec.h"

// The last stretch of a container's process, init or exec: from root in the container's
// namespaces to the user's command.
namespace nacre::runtime::process {

// Everything the stretch needs, decided before the process exists.
struct Command {
  spec::Process process;
  bool filtered = false;  // by the profile compiled into `filter`
  bool notifies = false;  // the profile wants an agent
  std::vector<sock_filter> filter;
  unsigned filter_flags = 0;
  std::string keyring;  // name of a new session keyring; empty: keep ours
  unsigned preserve_fds = 0;
};
Result<Command> prepare(const spec::Process& process, const std::optional<spec::Seccomp>& seccomp);

// Where the LSM label of the command is written, opened while the host's /proc is in sight. Empty
// when the process has no label. An error when the label needs an LSM the kernel does not have.
Result<UniqueFd> open_label(const spec::Process& process);

// Session, terminal, keyring, limits, user, working directory, capabilities. Returns the file
// to execute. `keep` are descriptors of ours to leave open besides the standard three and the
// preserved ones; all others are closed before the working directory is entered, so that it
// cannot be one of them (CVE-2024-21626).
Result<std::string> become_user(Command& command, UniqueFd terminal, Channel& channel, std::vector<int> keep);

// Seccomp (unless it had to come earlier), label, execve(2). Returns only with an error.
Error execute(const Command& command, const std::string& file, const UniqueFd& label);

// Takes the uid and gid 0 of a user namespace whose maps are written.
Result<> become_namespace_root();

}  // namespace nacre::runtime::process
