// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::runtime {

// Waits on a UNIX socket for the master side of a container's pty, as the runtime sends it.
class ConsoleSocket {
 public:
  // A socket of this process's own in `directory`, mode 0600. Its name begins with a dot, as no
  // container's id does.
  static Result<ConsoleSocket> in(const std::string& directory);
  ConsoleSocket(ConsoleSocket&&) = default;
  ConsoleSocket& operator=(ConsoleSocket&&) = default;
  ~ConsoleSocket();
  const std::string& path() const { return path_; }
  Result<UniqueFd> receive();

 private:
  ConsoleSocket(std::string path, UniqueFd socket) : path_(std::move(path)), socket_(std::move(socket)) {}
  std::string path_;
  UniqueFd socket_;
};

}  // namespace nacre::runtime
