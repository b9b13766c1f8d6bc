// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace nacre::runtime {

struct Attendance {
  pid_t pid = -1;       // a child of ours that nobody else waits for
  int master = -1;      // its pty; -1 without one
  int input = -1;       // copied to the pty; -1: nothing
  int output = -1;      // what the pty says goes here
  bool insist = false;  // a signal that would be lost kills instead, see attend()
};

// Carries bytes, window sizes and signals between the user and a process until the process ends
// and its pty is drained; meanwhile a terminal on standard input that feeds the pty is in raw
// mode. The caller has blocked the signals, see block_relayed_signals(). Returns the exit code,
// 128 + N for a process killed by signal N.
// With `insist` a signal that would be lost because the process, being pid 1 of its namespace,
// has no handler for it kills it instead, and counts as what killed it.
Result<int> attend(const Attendance& options);

// Whether a process catches or ignores a signal on purpose (proc_pid_status(5)). A pid 1 that
// does neither never sees it.
bool handles_signal(pid_t pid, int signal);

// Blocks what attend() forwards, and SIGWINCH, in this thread. Programs started later begin
// with nothing blocked.
void block_relayed_signals();

}  // namespace nacre::runtime
