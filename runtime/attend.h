// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "runtime/spec/spec.h"

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
// mode. The caller has blocked the signals, see prepare_to_attend(). Returns the exit code,
// 128 + N for a process killed by signal N. Neither side waits for the other: a user who does not
// read stops the process and not the signals to it. One who has gone for good hangs up (SIGHUP).
// With `insist` a signal that would be lost because the process, being pid 1 of its namespace,
// has no handler for it kills it instead, and counts as what killed it.
Result<int> attend(const Attendance& options);

// Gives a process that asks for a terminal of no particular size that of the user's: it may look
// before attend() has begun.
void fit_to_window(spec::Process& process);

// Whether a process catches, blocks or ignores a signal on purpose (proc_pid_status(5)). A pid 1
// that does none of them never sees it.
bool handles_signal(pid_t pid, int signal);

// Blocks what attend() forwards, and SIGWINCH, in this thread, and ignores SIGPIPE: a supervisor
// whose user has gone still has a container to look after. Programs started later begin with
// nothing blocked or ignored.
void prepare_to_attend();

}  // namespace nacre::runtime
