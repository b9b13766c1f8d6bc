// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

// Between create and start the container's first process waits at a socket in the container's
// state directory. `start` connects and says go; the process executes the command and the
// connection closes with the exec, or carries the reason why it failed.
namespace nacre::runtime::process {

std::string gate_path(const std::string& state_directory);

Result<UniqueFd> make_gate(const std::string& state_directory);

// The process's side: returns when somebody says go. The descriptor closes on exec.
Result<UniqueFd> wait_at_gate(int gate);
void report_failure(int connection, const Error& error);

// The command's side. Connecting fails with ECONNREFUSED or ENOENT when nobody waits.
Result<UniqueFd> knock(const std::string& state_directory);
// Says go and waits for the exec; its failure is the error.
Result<> open_gate(int connection);

}  // namespace nacre::runtime::process
