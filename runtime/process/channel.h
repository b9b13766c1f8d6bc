// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

// What a command of the runtime and the process it makes for the container tell each other while
// the container is being set up, over a pair of sockets.
namespace nacre::runtime::process {

enum class Tag : char {
  proceed = 'P',   // parent: all is prepared from outside; text: targets of the view, one a line;
                   //   descriptors: their mounts
  listener = 'L',  // child: the listener of the view's filter
  agent = 'A',     // child: the listener of the user's profile
  terminal = 'T',  // child: the pseudo terminal's master
  mounted = 'M',   // child: namespaces and mounts are made, the host is still in sight
  ready = 'R',     // child: nothing is left to do but to wait for the gate, or to execute
  resume = 'C',    // parent: go on
  failed = 'F',    // child: an Error; nothing comes after it
};

struct Note {
  Tag tag{};
  std::string text;
  std::vector<UniqueFd> fds;
};

// Notes of any length: what a message cannot hold (annotations have no limit) goes in a file.
class Channel {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  Result<> send(Tag tag, std::string_view text = {}, std::span<const int> fds = {});
  void send_error(const Error& error);
  // A `failed` note becomes its Error; EPIPE when the other side is gone.
  Result<Note> receive();
  // receive() that accepts one kind only (EPROTO).
  Result<Note> expect(Tag tag);

  int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }

 private:
  UniqueFd socket_;
};

// "CODE text", as send_error() and the gate carry an Error.
std::string encode(const Error& error);
Error decode_error(std::string_view text);

}  // namespace nacre::runtime::process
