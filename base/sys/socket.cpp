// SPDX-License-Identifier: Apache-2.0
#include "base/sys/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::sys {
namespace {

// A socket address holds 107 characters; a longer path is reached through its directory.
struct Address {
  UniqueFd directory;
  sockaddr_un address{};
  socklen_t size = 0;
};

Result<Address> address_of(const std::string& path) {
  Address result;
  result.address.sun_family = AF_UNIX;
  std::string name = path;
  if (name.size() >= sizeof(result.address.sun_path)) {
    const auto slash = path.find_last_of('/');
    const auto parent = slash == std::string::npos ? std::string(".") : path.substr(0, slash);
    result.directory = TRY(open_at(AT_FDCWD, parent.c_str(), O_PATH | O_DIRECTORY));
    name = "/proc/self/fd/" + std::to_string(result.directory.get()) + "/" + path.substr(slash + 1);
    if (name.size() >= sizeof(result.address.sun_path)) return fail(ENAMETOOLONG, path);
  }
  std::memcpy(result.address.sun_path, name.c_str(), name.size() + 1);
  result.size = sizeof(result.address);
  if (name.starts_with('@')) {
    result.address.sun_path[0] = '\0';
    result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  return result;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Result<UniqueFd> connect_to(const std::string& path, int type) {
  const auto address = TRY(during("connect to " + path, address_of(path)));
  UniqueFd socket{TRY(checked([&] { return ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0); }))};
  TRY(during("connect to " + path,
             succeed([&] { return ::connect(socket.get(), generic(address.address), address.size); })));
  return socket;
}

Result<UniqueFd> listen_at(const std::string& path, int type) {
  const auto address = TRY(during("listen on " + path, address_of(path)));
  UniqueFd socket{TRY(checked([&] { return ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0); }))};
  ::unlink(path.c_str());
  // The mode of the socket file is that of the descriptor at bind(2).
  TRY(succeed([&] { return ::fchmod(socket.get(), 0600); }));
  TRY(during("listen on " + path,
             succeed([&] { return ::bind(socket.get(), generic(address.address), address.size); })));
  if (type != SOCK_DGRAM) TRY(succeed([&] { return ::listen(socket.get(), 128); }));
  return socket;
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> seqpacket_pair() {
  std::array<int, 2> ends{};
  TRY(succeed([&] { return ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()); }));
  return std::pair{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

Result<UniqueFd> listen_seqpacket(const std::string& path) { return listen_at(path, SOCK_SEQPACKET); }
Result<UniqueFd> listen_stream(const std::string& path) { return listen_at(path, SOCK_STREAM); }
Result<UniqueFd> connect_seqpacket(const std::string& path) { return connect_to(path, SOCK_SEQPACKET); }
Result<UniqueFd> connect_stream(const std::string& path) { return connect_to(path, SOCK_STREAM); }

Result<UniqueFd> bind_datagram(const std::string& path) { return listen_at(path, SOCK_DGRAM); }
Result<UniqueFd> connect_datagram(const std::string& path) { return connect_to(path, SOCK_DGRAM); }

Result<UniqueFd> accept_connection(int listener) {
  return UniqueFd{TRY(checked([&] { return ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC); }))};
}

Result<> send_message(int socket, std::string_view text, std::span<const int> fds) {
  if (fds.size() > kMessageFdLimit) return fail(EMSGSIZE);
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMessageFdLimit)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  return succeed([&] { return ::sendmsg(socket, &header, MSG_NOSIGNAL); });
}

Result<Message> receive_message(int socket) {
  Message message;
  const auto room = std::make_unique_for_overwrite<char[]>(kMessageLimit);
  iovec part{.iov_base = room.get(), .iov_len = kMessageLimit};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMessageFdLimit)> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto size = TRY(checked([&] { return ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC); }));
  message.text.assign(room.get(), static_cast<std::size_t>(size));
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      message.fds.emplace_back(fd);
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return fail(EMSGSIZE);
  return message;
}

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  TRY(succeed([&] { return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size); }));
  return Peer{credentials.pid, credentials.uid, credentials.gid};
}

}  // namespace nacre::sys
