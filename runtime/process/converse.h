// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/result.h"
#include "runtime/process/channel.h"

namespace nacre::runtime::process {

// What the parent does when the child asks; an error ends the conversation.
struct Answers {
  std::function<Result<>(int listener)> listener;
  std::function<Result<>(int listener)> agent;
  std::function<Result<>(int master)> terminal;
  std::function<Result<>()> mounted;
};

// Talks to the container's process until it is ready; its failure is the error. EPIPE when it
// ended without a word.
Result<> converse(Channel& channel, const Answers& answers);

// After the last `resume` of a process that executes at once: waits for the exec.
Result<> await_exec(Channel& channel);

}  // namespace nacre::runtime::process
