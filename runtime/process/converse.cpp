// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/converse.h"

namespace nacre::runtime::process {
namespace {

Result<int> only_fd(const Note& note) {
  if (note.fds.size() != 1)
    return fail(EPROTO, "a descriptor is missing in a note of the container's process");
  return note.fds.front().get();
}

}  // namespace

Result<> converse(Channel& channel, const Answers& answers) {
  for (;;) {
    const auto note = TRY(channel.receive());
    switch (note.tag) {
      case Tag::ready: return {};
      case Tag::terminal: TRY(answers.terminal(TRY(only_fd(note)))); continue;
      case Tag::listener: TRY(answers.listener(TRY(only_fd(note)))); break;
      case Tag::agent: TRY(answers.agent(TRY(only_fd(note)))); break;
      case Tag::mounted: TRY(answers.mounted()); break;
      default: return fail(EPROTO, "unexpected note of the container's process");
    }
    TRY(channel.send(Tag::resume));
  }
}

Result<> await_exec(Channel& channel) {
  const auto note = channel.receive();
  if (!note && note.error().code == EPIPE) return {};  // closed by the exec
  if (!note) return std::unexpected(note.error());
  return fail(EPROTO, "unexpected note of the container's process");
}

}  // namespace nacre::runtime::process
