// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

// AF_UNIX sockets that keep message boundaries (SOCK_SEQPACKET) and carry descriptors.
namespace nacre::sys {

Result<std::pair<UniqueFd, UniqueFd>> seqpacket_pair();

// Listens on `path` (mode 0600, an old socket file is replaced). The path may be longer
// than sun_path allows.
Result<UniqueFd> listen_seqpacket(const std::string& path);
// The same for SOCK_STREAM, as an OCI console socket is.
Result<UniqueFd> listen_stream(const std::string& path);
Result<UniqueFd> connect_seqpacket(const std::string& path);
Result<UniqueFd> connect_stream(const std::string& path);
// SOCK_DGRAM, as sd_notify(3) speaks; a path that begins with '@' is abstract.
Result<UniqueFd> bind_datagram(const std::string& path);
Result<UniqueFd> connect_datagram(const std::string& path);
Result<UniqueFd> accept_connection(int listener);

struct Message {
  std::string text;
  std::vector<UniqueFd> fds;
};
inline constexpr std::size_t kMessageLimit = 64 * 1024;
inline constexpr std::size_t kMessageFdLimit = 64;

// One message with descriptors (SCM_RIGHTS). Never raises SIGPIPE.
Result<> send_message(int socket, std::string_view text, std::span<const int> fds = {});
// One message; an empty text without descriptors means that the peer has gone.
// EMSGSIZE when it was longer than kMessageLimit.
Result<Message> receive_message(int socket);

struct Peer {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};
Result<Peer> peer_of(int socket);

}  // namespace nacre::sys
