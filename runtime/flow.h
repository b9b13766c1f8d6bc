// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <array>
#include <string_view>

namespace nacre::runtime {

// One direction of a relay: what was read from one descriptor and is not yet written to another.
// It never blocks: it reads only when poll(2) says so and nothing waits to be written, so whoever
// does not read slows down the writer and nobody else.
class Flow {
 public:
  // Neither is owned; -1 for none. `to` takes what it can of 4096 bytes once it polls as
  // writable, or does not block at all.
  Flow(int from, int to) : from_(from), to_(to) {}
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  pollfd source() const { return {waiting() ? -1 : from_, POLLIN, 0}; }
  pollfd sink() const { return {waiting() ? to_ : -1, POLLOUT, 0}; }
  bool waiting() const { return !rest_.empty(); }

  // For a source that is ready. The bytes read; empty at the end of input (`from` is left alone
  // from then on) and when there was nothing after all.
  std::string_view fill();
  // Bytes of our own, when nothing waits.
  void put(std::string_view bytes);
  bool ended() const { return from_ < 0; }

  // For a sink that is ready. False when nobody will ever read it: all is dropped from then on.
  bool drain();
  // Neither reads nor writes any more; what waits is dropped.
  void stop();

 private:
  std::array<char, 4096> buffer_{};
  std::string_view rest_;  // of buffer_
  int from_;
  int to_;
};

}  // namespace nacre::runtime
