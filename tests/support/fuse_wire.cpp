// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fuse_wire.h"

#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

namespace nacre::test {

std::uint64_t FuseWire::send(std::uint32_t opcode, std::uint64_t node, std::string_view body) {
  fuse_in_header header{};
  header.len = static_cast<std::uint32_t>(sizeof(header) + body.size());
  header.opcode = opcode;
  header.unique = unique_ += 2;
  header.nodeid = node;
  header.uid = uid;
  header.gid = gid;
  header.pid = static_cast<std::uint32_t>(pid);
  send_raw(wire_bytes(header) + std::string(body));
  return header.unique;
}

void FuseWire::send_raw(std::string_view bytes) {
  if (::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the file system does not take the request");
}

WireReply FuseWire::call(std::uint32_t opcode, std::uint64_t node, std::string_view body) {
  const auto unique = send(opcode, node, body);
  std::string message(2 << 20, '\0');
  fuse_out_header header{};
  ssize_t size = 0;
  do {  // what the file system tells of itself has no number
    pollfd ready{socket_.get(), POLLIN, 0};
    if (::poll(&ready, 1, 10'000) != 1) throw std::runtime_error("no reply within ten seconds");
    size = ::recv(socket_.get(), message.data(), message.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(header))) throw std::runtime_error("the connection ended");
    std::memcpy(&header, message.data(), sizeof(header));
  } while (header.unique == 0);
  if (header.unique != unique || header.len != static_cast<std::uint32_t>(size))
    throw std::runtime_error("a reply to another request, or of another length");
  return {-header.error, message.substr(sizeof(header), static_cast<std::size_t>(size) - sizeof(header))};
}

fuse_init_out FuseWire::init(std::uint64_t flags) {
  fuse_init_in body{};
  body.major = FUSE_KERNEL_VERSION;
  body.minor = FUSE_KERNEL_MINOR_VERSION;
  body.max_readahead = 128 * 1024;
  body.flags = static_cast<std::uint32_t>(flags);
#ifdef FUSE_INIT_EXT
  body.flags2 = static_cast<std::uint32_t>(flags >> 32);
#endif
  return call(FUSE_INIT, 0, wire_bytes(body)).as<fuse_init_out>();
}

void FuseWire::forget(std::uint64_t node, std::uint64_t count) {
  fuse_forget_in body{};
  body.nlookup = count;
  send(FUSE_FORGET, node, wire_bytes(body));
}

}  // namespace nacre::test
