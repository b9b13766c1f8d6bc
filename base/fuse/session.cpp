// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/session.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/unique_fd.h"

namespace nacre::fuse {
namespace {

// Interrupts a worker's blocking read so that it sees the session's exit flag.
constexpr int kInterrupt = SIGURG;

sigset_t signal_set(const std::vector<int>& extra) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  for (const int signal : extra) sigaddset(&set, signal);
  return set;
}

ssize_t write_socket(int fd, iovec* parts, int count, void*) {
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &header, MSG_NOSIGNAL);
}

// An orderly end of the peer reads like an unmount.
ssize_t read_socket(int fd, void* buffer, std::size_t size, void*) {
  const auto count = ::recv(fd, buffer, size, 0);
  if (count != 0) return count;
  errno = ENODEV;
  return -1;
}

}  // namespace

Result<Session> Session::create(const char* program, const fuse_lowlevel_ops& ops, void* userdata,
                                const std::vector<std::string>& mount_options) {
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&args, program);
  for (const auto& option : mount_options) {
    fuse_opt_add_arg(&args, "-o");
    fuse_opt_add_arg(&args, option.c_str());
  }
  fuse_session* const session = fuse_session_new(&args, &ops, sizeof(ops), userdata);
  fuse_opt_free_args(&args);
  if (session == nullptr) return bad_input("the FUSE library refused the mount options");
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return fail(errno, "eventfd");
  return Session(session, wake);
}

Session::Session(Session&& other) noexcept
    : session_(std::exchange(other.session_, nullptr)),
      wake_(std::exchange(other.wake_, -1)),
      mounted_(std::exchange(other.mounted_, false)) {}

Session::~Session() {
  if (session_ == nullptr) return;
  if (mounted_) fuse_session_unmount(session_);
  fuse_session_destroy(session_);
  ::close(wake_);
}

Result<> Session::mount(const std::string& mountpoint) {
  if (fuse_session_mount(session_, mountpoint.c_str()) != 0)
    return fail(errno != 0 ? errno : EIO, "mount on " + mountpoint);
  mounted_ = true;
  return {};
}

Result<> Session::attach_socket(int socket) {
  static constexpr fuse_custom_io kSocketIo{.writev = write_socket,
                                            .read = read_socket,
                                            .splice_receive = nullptr,
                                            .splice_send = nullptr,
                                            .clone_fd = nullptr};
  if (const int rc = fuse_session_custom_io(session_, &kSocketIo, sizeof(kSocketIo), socket); rc != 0)
    return fail(-rc, "attach socket");
  return {};
}

void Session::work() {
  fuse_buf buffer{};
  while (fuse_session_exited(session_) == 0) {
    const int size = fuse_session_receive_buf(session_, &buffer);
    if (size == -EINTR || size == -EAGAIN) continue;
    if (size <= 0) break;
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  fuse_session_exit(session_);
  running_.fetch_sub(1);
  static_cast<void>(!::eventfd_write(wake_, 1));
}

Result<> Session::serve(unsigned threads, const std::vector<int>& extra_signals,
                        const std::function<void(int)>& on_signal) {
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) {};
  ::sigaction(kInterrupt, &interrupt, nullptr);
  const sigset_t signals = signal_set(extra_signals);
  const UniqueFd signal_fd{::signalfd(-1, &signals, SFD_CLOEXEC)};
  if (!signal_fd) return fail(errno, "signalfd");

  std::vector<std::thread> workers;
  running_ = threads;
  for (unsigned i = 0; i < threads; ++i) workers.emplace_back([this] { work(); });

  std::array<pollfd, 2> events{{{wake_, POLLIN, 0}, {signal_fd.get(), POLLIN, 0}}};
  while (fuse_session_exited(session_) == 0) {
    if (::poll(events.data(), events.size(), -1) < 0) continue;
    if ((events[0].revents & POLLIN) != 0) break;
    signalfd_siginfo received{};
    if (::read(signal_fd.get(), &received, sizeof(received)) != sizeof(received)) continue;
    const int number = static_cast<int>(received.ssi_signo);
    if (number == SIGINT || number == SIGTERM) break;
    if (on_signal) on_signal(number);
  }
  fuse_session_exit(session_);
  // The signal may come just before a worker enters read(2), so it is repeated.
  while (running_ > 0) {
    for (auto& worker : workers) ::pthread_kill(worker.native_handle(), kInterrupt);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  for (auto& worker : workers) worker.join();
  if (mounted_) {
    fuse_session_unmount(session_);
    mounted_ = false;
  }
  return {};
}

void Session::stop() {
  fuse_session_exit(session_);
  static_cast<void>(!::eventfd_write(wake_, 1));
}

void block_signals(const std::vector<int>& extra) {
  const sigset_t signals = signal_set(extra);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace nacre::fuse
