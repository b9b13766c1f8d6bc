// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/ioctl.h>

#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "fs/options.h"

// How `nacre-fs --reload` reaches the server of a mount.
//
// New layers are descriptors, which no FUSE request can carry. An ioctl(2) on the mount's top directory says
// where the server is, and whoever may trace it (ptrace(2)) takes one end of a socket out of it
// (pidfd_getfd(2)) and sends them there. So nothing listens where a container could connect to it, the kernel
// decides who may, and the confined server needs no right over other processes.
namespace nacre::fs {

// Descriptors are numbers in the server; -1 where there is none.
struct ServerAddress {
  std::uint64_t socket_inode = 0;
  std::int32_t process = 0;  // in the server's pid namespace
  std::int32_t socket = -1;
  std::int32_t upper = -1, work = -1;
};
inline constexpr unsigned kWhereIsServer = _IOR('N', 0x10, ServerAddress);

// The server's side.
class ControlSocket {
 public:
  // Of no layers, too: the others may have changed.
  using AddLayers = std::function<Result<>(std::vector<UniqueFd> roots)>;

  static Result<ControlSocket> open();
  ControlSocket(ControlSocket&&) = default;
  ControlSocket& operator=(ControlSocket&&) = delete;
  ~ControlSocket();

  // Without upper and work.
  Result<ServerAddress> address() const;
  // On a thread of its own, until the destructor; what goes wrong is the asking side's to report.
  void serve(AddLayers add_layers);

 private:
  ControlSocket(UniqueFd own, UniqueFd others) : own_(std::move(own)), others_(std::move(others)) {}

  UniqueFd own_, others_;
  std::thread thread_;
};

// The asking side: what `options` say with --reload.
Result<> reload(const Options& options);

}  // namespace nacre::fs
