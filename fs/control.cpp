// SPDX-License-Identifier: Apache-2.0
#include "fs/control.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys/checked.h"
#include "base/sys/file.h"
#include "base/sys/process.h"
#include "base/sys/socket.h"
#include "fs/setup.h"

namespace nacre::fs {
namespace {

constexpr std::string_view kAdd = "add", kDone = "done";

// A message is kAdd with a socket for the answer and the layers, topmost first; the answer is kDone or what
// went wrong.
void answer(sys::Message message, const ControlSocket::AddLayers& add_layers) {
  if (message.text != kAdd || message.fds.empty()) return;
  const auto reply = std::move(message.fds.front());
  message.fds.erase(message.fds.begin());
  const auto added = add_layers(std::move(message.fds));
  // Who does not wait for the answer any more does not get it.
  static_cast<void>(sys::send_message(reply.get(), added ? kDone : added.error().message()));
}

Result<UniqueFd> take_descriptor(int process, int number) {
  return UniqueFd{
      TRY(sys::checked([&] { return static_cast<int>(::syscall(SYS_pidfd_getfd, process, number, 0)); }))};
}

Result<ServerAddress> find_server(int mount, const std::string& mountpoint) {
  ServerAddress address;
  if (::ioctl(mount, kWhereIsServer, &address) == 0) return address;
  if (errno != ENOTTY && errno != ENOSYS) return fail(errno, mountpoint + ": reload");
  return bad_input(mountpoint +
                   " is not the top of a mount of nacre-fs: give the directory that it was mounted on");
}

}  // namespace

Result<> reload(const Options& options) {
  const auto& path = options.mountpoint;
  const auto mount = TRY(during(path, sys::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY)));
  const auto server = TRY(find_server(mount.get(), path));
  const auto reach = "reach the server of " + path;
  const auto process = TRY(during(reach, sys::pidfd_open(server.process)));
  const auto socket = take_descriptor(process.get(), server.socket);
  // A number may mean another process here.
  if (!socket || TRY(sys::stat_fd(socket->get())).st_ino != server.socket_inode)
    return bad_input(reach +
                     ": may not, or it is in another pid namespace; call this where it was mounted, as "
                     "the same user");
  UniqueFd upper, work;
  if (server.upper >= 0) {
    upper = TRY(during(reach, take_descriptor(process.get(), server.upper)));
    work = TRY(during(reach, take_descriptor(process.get(), server.work)));
  }
  const auto roots = TRY(open_more_lowers(options.lowers, mount.get(), std::move(upper), std::move(work)));
  if (roots.size() >= sys::kMessageFdLimit)
    return bad_input("more than " + std::to_string(sys::kMessageFdLimit - 1) +
                     " layers to be added at a time: add them one after the other");

  auto [here, there] = TRY(sys::seqpacket_pair());
  std::vector<int> fds{there.get()};
  for (const auto& root : roots) fds.push_back(root.get());
  TRY(during(reach, sys::send_message(socket->get(), kAdd, fds)));
  there = {};
  const auto answer = TRY(during(reach, sys::receive_message(here.get())));
  if (answer.text == kDone) return {};
  return bad_input(path + ": " + (answer.text.empty() ? "its server has ended" : answer.text));
}

Result<ControlSocket> ControlSocket::open() {
  auto [own, others] = TRY(sys::seqpacket_pair());
  return ControlSocket(std::move(own), std::move(others));
}

ControlSocket::~ControlSocket() {
  if (!thread_.joinable()) return;
  ::shutdown(own_.get(), SHUT_RDWR);
  thread_.join();
}

Result<ServerAddress> ControlSocket::address() const {
  ServerAddress address;
  address.socket_inode = TRY(sys::stat_fd(others_.get())).st_ino;
  address.process = ::getpid();
  address.socket = others_.get();
  return address;
}

void ControlSocket::serve(AddLayers add_layers) {
  thread_ = std::thread([socket = own_.get(), add_layers = std::move(add_layers)] {
    for (;;) {
      auto message = sys::receive_message(socket);
      if (!message && message.error().code == EMSGSIZE) continue;
      if (!message || (message->text.empty() && message->fds.empty())) return;
      answer(std::move(*message), add_layers);
    }
  });
}

}  // namespace nacre::fs
