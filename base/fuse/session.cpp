// SPDX-License-Identifier: Apache-2.0
#include "base/fuse/session.h"

#include <fcntl.h>
#include <linux/fuse.h>
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
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "base/fuse/device.h"
#include "base/fuse/raw_request.h"
#include "base/fuse/reader_seat.h"
#include "base/fuse/request_poll.h"
#include "base/fuse/seat_watch.h"
#include "base/unique_fd.h"

namespace nacre::fuse {
namespace {

// Interrupts a worker's wait for a request so that it sees the session's exit flag.
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
  for (;;) {
    const auto sent = ::sendmsg(fd, &header, MSG_NOSIGNAL);
    if (sent >= 0 || errno != EAGAIN) return sent;
    pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, -1) < 0) return -1;
  }
}

// How many requests are not expected to be quick after one that was not.
constexpr unsigned kSlowRequests = 64;

// Requests that by their nature wait for a disk, or move much data. Reading is not among them:
// most of what is read is in memory, and if it is not, the seat is lost soon enough.
bool may_wait() {
  switch (RawRequest::current().opcode()) {
    case FUSE_WRITE:
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
    case FUSE_FALLOCATE:
    case FUSE_COPY_FILE_RANGE: return true;
    default: return false;
  }
}

bool count_down(std::atomic<unsigned>& counter) {
  auto value = counter.load(std::memory_order_relaxed);
  while (value > 0)
    if (counter.compare_exchange_weak(value, value - 1, std::memory_order_relaxed)) return true;
  return false;
}

// Of protocol 7.41, for which libfuse has no name before 3.19.
constexpr std::uint64_t kAllowIdmap = std::uint64_t{1} << 40;

// Adds to the answer to INIT what libfuse has no name for, if the kernel has offered it.
void agree_to_idmap(std::span<iovec> answer) {
  const auto asked = RawRequest::current().body<fuse_init_in>();
  if (!asked || (asked->flags & FUSE_INIT_EXT) == 0 || (asked->flags2 & kAllowIdmap >> 32) == 0) return;
  if (answer.size() != 2 || answer[1].iov_len != sizeof(fuse_init_out)) return;
  static_cast<fuse_init_out*>(answer[1].iov_base)->flags2 |= kAllowIdmap >> 32;
}

std::span<iovec> span_of(iovec* parts, int count) { return {parts, static_cast<std::size_t>(count)}; }

// libfuse would write all answers with writev(2).
ssize_t write_device(int fd, iovec* parts, int count, void*) {
  return write_answer(fd, span_of(parts, count));
}
ssize_t write_idmapped(int fd, iovec* parts, int count, void*) {
  if (RawRequest::current().opcode() == FUSE_INIT) agree_to_idmap(span_of(parts, count));
  return write_answer(fd, span_of(parts, count));
}
ssize_t read_device(int fd, void* buffer, std::size_t size, void*) { return read_request(fd, buffer, size); }
ssize_t splice_device(int from, off_t* from_offset, int to, off_t* to_offset, std::size_t size,
                      unsigned flags, void*) {
  return ::splice(from, from_offset, to, to_offset, size, flags);
}

// The kernel has had the answer to the negotiation that is repeated for libfuse alone.
thread_local bool repeating = false;

ssize_t write_resumed(int fd, iovec* parts, int count, void*) {
  if (!repeating) return write_answer(fd, span_of(parts, count));
  ssize_t size = 0;
  for (const auto& part : span_of(parts, count)) size += static_cast<ssize_t>(part.iov_len);
  return size;
}

using Writer = ssize_t (*)(int, iovec*, int, void*);

// From here on the session reads `fd`, and answers by `writer`. Once for each session: libfuse does not free
// what it was told before.
int use_device(fuse_session* session, int fd, Writer writer) {
  const fuse_custom_io io{.writev = writer,
                          .read = read_device,
                          .splice_receive = splice_device,
                          .splice_send = splice_device,
                          .clone_fd = nullptr};
  return fuse_session_custom_io(session, &io, sizeof(io), fd);
}

// Of protocol 7.40 (Linux 6.9), for which Debian 12 has no name.
constexpr std::int32_t kNotifyResend = 7;

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
      mounted_(std::exchange(other.mounted_, false)),
      idmapped_mounts_(other.idmapped_mounts_),
      prepared_(other.prepared_),
      stopped_(other.stopped_.load()),
      unmounted_(other.unmounted_.load()) {}

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

Result<> Session::prepare_device() {
  if (std::exchange(prepared_, true)) return {};
  const int rc =
      use_device(session_, fuse_session_fd(session_), idmapped_mounts_ ? write_idmapped : write_device);
  return rc == 0 ? Result<>{} : fail(-rc, "prepare the FUSE device");
}

Result<std::string> Session::negotiate() {
  TRY(prepare_device());
  fuse_buf buffer{};
  int size = 0;
  do size = fuse_session_receive_buf(session_, &buffer);
  while (size == -EINTR);
  std::string request;
  if (size > 0) request.assign(static_cast<const char*>(buffer.mem), static_cast<std::size_t>(size));
  if (size > 0) {
    const RawRequest::Scope scope(std::as_bytes(std::span(request)));
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  if (size <= 0) return fail(size < 0 ? -size : ENODEV, "wait for the kernel's first request");
  return request;
}

Result<bool> Session::resume(UniqueFd device, std::string_view negotiation) {
  const int fd = device.get();
  if (const int rc = use_device(session_, fd, write_resumed); rc != 0)
    return fail(-rc, "take over the connection");
  prepared_ = true;
  static_cast<void>(device.release());  // the session's from here on
  std::string request(negotiation);
  fuse_buf buffer{};
  buffer.size = request.size();
  buffer.mem = request.data();
  repeating = true;
  fuse_session_process_buf(session_, &buffer);
  repeating = false;
  if (fuse_session_exited(session_) != 0)
    return bad_input("the FUSE library refused to take over the connection");
  const fuse_out_header resend{.len = sizeof(fuse_out_header), .error = kNotifyResend, .unique = 0};
  return ::write(fd, &resend, sizeof(resend)) == sizeof(resend);
}

void Session::wake_poller(std::uint64_t number) {
  struct {
    fuse_out_header header;
    fuse_notify_poll_wakeup_out wakeup;
  } const message{{sizeof(message), FUSE_NOTIFY_POLL, 0}, {number}};
  static_cast<void>(!::write(fuse_session_fd(session_), &message, sizeof(message)));
}

Result<> Session::attach_socket(int socket) {
  static constexpr fuse_custom_io kSocketIo{.writev = write_socket,
                                            .read = read_socket,
                                            .splice_receive = nullptr,
                                            .splice_send = nullptr,
                                            .clone_fd = nullptr};
  if (const int rc = fuse_session_custom_io(session_, &kSocketIo, sizeof(kSocketIo), socket); rc != 0)
    return fail(-rc, "attach socket");
  prepared_ = true;
  return {};
}

// What the threads of one serve() share.
struct Session::Workers {
  explicit Workers(const Service& service) : poll(service.poll), running(service.threads) {}

  ReaderSeat seat;
  RequestPoll poll;                        // the seat's holder's
  std::atomic<bool> watched{false};        // the thread of serve() looks at the seat
  std::atomic<unsigned> slow_requests{0};  // so many more are expected to wait for something
  std::atomic<unsigned> running;
};

void Session::process(fuse_buf& buffer) {
  begun_.fetch_add(1, std::memory_order_relaxed);
  fuse_session_process_buf(session_, &buffer);
  answered_.fetch_add(1, std::memory_order_relaxed);
}

bool Session::answers() {
  const auto answered = answered_.load(std::memory_order_relaxed);
  const bool progress = std::exchange(seen_answered_, answered) != answered;
  return progress || begun_.load(std::memory_order_relaxed) - answered < threads_;
}

// Serves requests for as long as the seat can be kept. False: the session is over.
bool Session::serve_turn(Workers& workers, fuse_buf& buffer) {
  while (fuse_session_exited(session_) == 0) {
    const int size = fuse_session_receive_buf(session_, &buffer);
    if (size == -EAGAIN) workers.poll.wait(fuse_session_fd(session_));
    if (size == -EINTR || size == -EAGAIN) continue;
    if (size <= 0) {
      // libfuse yields 0 when the kernel has ended the connection, and when we do.
      if (size == 0 && !stopped_) unmounted_ = true;
      return false;
    }
    workers.poll.received();
    const RawRequest::Scope scope(
        {static_cast<const std::byte*>(buffer.mem), static_cast<std::size_t>(size)});
    if (may_wait() || count_down(workers.slow_requests)) {
      workers.seat.leave();
      process(buffer);
      return true;
    }
    const auto answer = workers.seat.begin_answer();
    if (!workers.watched && !workers.watched.exchange(true)) static_cast<void>(!::eventfd_write(wake_, 1));
    process(buffer);
    if (workers.seat.end_answer(answer)) continue;
    // It took long, and so may the next ones, for the same reason.
    workers.slow_requests = kSlowRequests;
    return true;
  }
  return false;
}

void Session::work(Workers& workers) {
  fuse_buf buffer{};
  while (workers.seat.take() && serve_turn(workers, buffer)) continue;
  std::free(buffer.mem);
  fuse_session_exit(session_);
  workers.seat.close();
  workers.running.fetch_sub(1);
  static_cast<void>(!::eventfd_write(wake_, 1));
}

Result<> Session::serve(const Service& service) {
  TRY(prepare_device());
  const int device = fuse_session_fd(session_);
  if (const int flags = ::fcntl(device, F_GETFL);
      flags < 0 || ::fcntl(device, F_SETFL, flags | O_NONBLOCK) != 0)
    return fail(errno, "make the FUSE device not block");
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) {};
  ::sigaction(kInterrupt, &interrupt, nullptr);
  const sigset_t signals = signal_set(service.signals);
  const UniqueFd signal_fd{::signalfd(-1, &signals, SFD_CLOEXEC)};
  if (!signal_fd) return fail(errno, "signalfd");

  Workers workers(service);
  SeatWatch watch(workers.seat, service.patience);
  threads_ = service.threads;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < service.threads; ++i) threads.emplace_back([&] { work(workers); });

  std::array<pollfd, 2> events{{{wake_, POLLIN, 0}, {signal_fd.get(), POLLIN, 0}}};
  while (fuse_session_exited(session_) == 0) {
    const int ready = ::poll(events.data(), events.size(),
                             workers.watched ? static_cast<int>(service.patience.count()) : -1);
    if (ready < 0) continue;
    if (ready == 0) {
      watch.look();
      if (!watch.used_since_asked()) {
        workers.watched = false;
        // One that begins just now may have seen that it was watched. Both ask after they have told, in one
        // order (memory_order_seq_cst), so one of them sees the other.
        if (watch.used_since_asked()) workers.watched = true;
      }
      continue;
    }
    if ((events[0].revents & POLLIN) != 0) {
      eventfd_t count = 0;
      static_cast<void>(!::eventfd_read(wake_, &count));
      watch.look();  // at the first answer after a while, so that the next look already knows it
      continue;
    }
    signalfd_siginfo received{};
    if (::read(signal_fd.get(), &received, sizeof(received)) != sizeof(received)) continue;
    const int number = static_cast<int>(received.ssi_signo);
    if (number == SIGINT || number == SIGTERM) {
      if (service.before_end) service.before_end();
      stopped_ = true;
      break;
    }
    if (service.on_signal) service.on_signal(number);
  }
  fuse_session_exit(session_);
  workers.seat.close();
  // The signal may come just before a worker begins to wait, so it is repeated.
  while (workers.running > 0) {
    for (auto& worker : threads) ::pthread_kill(worker.native_handle(), kInterrupt);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  for (auto& worker : threads) worker.join();
  if (mounted_) {
    fuse_session_unmount(session_);
    mounted_ = false;
  }
  return {};
}

void Session::stop() {
  stopped_ = true;
  fuse_session_exit(session_);
  static_cast<void>(!::eventfd_write(wake_, 1));
}

bool end_is_wanted() {
  sigset_t pending{};
  return ::sigpending(&pending) == 0 &&
         (::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1);
}

void block_signals(const std::vector<int>& extra) {
  const sigset_t signals = signal_set(extra);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace nacre::fuse
