// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/fuse.h>
#include <sys/types.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace nacre::test {

// A kernel's answer to a program that asked a FUSE file system: an errno and a body.
struct WireReply {
  int error = 0;  // a positive errno
  std::string body;

  // The body's beginning as a struct of linux/fuse.h; zeros where it is shorter.
  template <typename Body>
  Body as() const {
    Body value{};
    std::memcpy(&value, body.data(), body.size() < sizeof(value) ? body.size() : sizeof(value));
    return value;
  }
};

template <typename Body>
std::string wire_bytes(const Body& body) {
  return {reinterpret_cast<const char*>(&body), sizeof(body)};
}

// The kernel's side of a FUSE connection over a socket pair: sends requests as the kernel
// does and waits for each reply. One thread at a time.
class FuseWire {
 public:
  // `socket` keeps message boundaries; the other end is the session's (attach_socket).
  explicit FuseWire(UniqueFd socket) : socket_(std::move(socket)) {}

  // FUSE_INIT, offering `flags`; the reply tells what the file system wants.
  fuse_init_out init(std::uint64_t flags = ~std::uint64_t{0});
  WireReply call(std::uint32_t opcode, std::uint64_t node, std::string_view body);
  // Requests without a reply.
  void forget(std::uint64_t node, std::uint64_t count);
  void send_raw(std::string_view bytes);

  // Ends the connection, as an unmount does.
  void close() { socket_.reset(); }

  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 1;

 private:
  std::uint64_t send(std::uint32_t opcode, std::uint64_t node, std::string_view body);
  UniqueFd socket_;
  std::uint64_t unique_ = 0;
};

}  // namespace nacre::test
