// SPDX-License-Identifier: Apache-2.0
#pragma once

#define FUSE_USE_VERSION 317
#include <fuse_lowlevel.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace nacre::fuse {

// How a connection is served.
struct Service {
  unsigned threads = 1;
  // How long a thread looks for the next request before it sleeps; 0: not at all.
  std::chrono::microseconds poll{0};
  // An answer that takes this long, or up to twice as long, loses the seat to another thread; one whose
  // thread computes has 20 ms at least. Not 0: the thread of serve() looks that often while there are
  // requests.
  std::chrono::milliseconds patience{4};
  // Signals that call `on_signal` on the thread of serve().
  std::vector<int> signals{};
  std::function<void(int)> on_signal{};
  // Called on the thread of serve() when SIGINT or SIGTERM has arrived, while requests are still answered.
  std::function<void()> before_end{};
};

// One FUSE connection, served by a fixed number of threads that share its descriptor
// (no clone_fd), so that another process may hold the connection open too.
class Session {
 public:
  // `mount_options` are those of fuse_session_new(3), without "-o": "fsname=x",
  // "allow_other" … `ops` must live as long as the session.
  static Result<Session> create(const char* program, const fuse_lowlevel_ops& ops, void* userdata,
                                const std::vector<std::string>& mount_options);
  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  // Mounts on a directory; "/dev/fd/N" adopts a /dev/fuse descriptor that is already
  // mounted (fsconfig "fd").
  Result<> mount(const std::string& mountpoint);

  // Mounts of the file system may be idmapped (mount_setattr(2)), where the kernel can (Linux 6.12); call
  // before serve(). It takes the mount option "default_permissions". Where the kernel does, requests that
  // make nothing come without their caller's uid and gid, which are -1 then.
  void allow_idmapped_mounts() { idmapped_mounts_ = true; }

  // Answers the kernel's first request, which serve() does by itself otherwise; after mount(). It returns
  // that request, for the resume() of a process that takes over.
  Result<std::string> negotiate();
  // Goes on where another process ended, however it did: `device` is its mounted /dev/fuse, `negotiation`
  // what its negotiate() has returned. What it had read and not answered comes again (Linux 6.9); false: this
  // kernel cannot.
  Result<bool> resume(UniqueFd device, std::string_view negotiation);

  // Has those ask again who wait in poll(2), by the numbers that the kernel gave (fuse_poll_in.kh), which
  // another process may have been told. From any thread.
  void wake_poller(std::uint64_t number);

  // Leaves unmounting to somebody else.
  void leave_mounted() { mounted_ = false; }
  // Whether serve() returned because of an unmount, and not of a signal.
  bool was_unmounted() const { return unmounted_; }

  // Speaks the protocol over a socket that keeps message boundaries, without a mount.
  // The session owns `socket` from here on.
  Result<> attach_socket(int socket);

  // Serves until the file system is unmounted or SIGINT or SIGTERM arrives. All signals must
  // be blocked in every thread, see block_signals(). Unmounts before it returns.
  // The device does not block from then on (O_NONBLOCK), for others that share its open file description too.
  Result<> serve(const Service& service);

  // Makes serve() return; from any thread.
  void stop();

  // While it serves: whether a thread is free for the next request, or has answered one since this was asked
  // last. From one thread at a time.
  bool answers();

  fuse_session* get() const { return session_; }

 private:
  explicit Session(fuse_session* session, int wake) : session_(session), wake_(wake) {}
  struct Workers;
  Result<> prepare_device();
  void work(Workers& workers);
  bool serve_turn(Workers& workers, fuse_buf& buffer);

  fuse_session* session_ = nullptr;
  int wake_ = -1;  // eventfd: a worker has seen the end, or stop() was called
  bool mounted_ = false;
  bool idmapped_mounts_ = false;
  bool prepared_ = false;  // libfuse knows how to read and to answer
  void process(fuse_buf& buffer);

  std::atomic<unsigned> threads_{1};     // of serve()
  std::atomic<std::uint64_t> begun_{0};  // requests
  std::atomic<std::uint64_t> answered_{0};
  std::uint64_t seen_answered_ = 0;   // by answers()
  std::atomic<bool> stopped_{false};  // by a signal or stop()
  std::atomic<bool> unmounted_{false};
};

// Whether SIGINT or SIGTERM has arrived and nobody has taken it.
bool end_is_wanted();

// Blocks SIGINT, SIGTERM, SIGHUP and `extra` in the calling thread and those it starts
// later, and ignores SIGPIPE. Call before any thread exists.
void block_signals(const std::vector<int>& extra = {});

}  // namespace nacre::fuse
