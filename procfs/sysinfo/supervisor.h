// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/sys/helpers.h"
#include "base/unique_fd.h"
#include "procfs/registry.h"
#include "procfs/sysinfo/layout.h"
#include "procfs/sysinfo/memory_writer.h"
#include "procfs/sysinfo/pending_calls.h"

namespace nacre::procfs {

// The names by which listeners are kept begin so.
inline constexpr std::string_view kListenerPrefix = "l-";

// Answers the trapped system calls of all containers, and notices when a container ends:
// one descriptor for each container, its seccomp listener or, without one, its init's pidfd,
// all in one epoll set. A listener stays until nobody is filtered by it any more; every
// exec into a container brings another one.
class Supervisor {
 public:
  // What outlives this process: a keeper of listeners, PendingCalls' memory, and what a predecessor has left
  // there.
  struct Kept {
    std::function<Result<>(const std::string& name, int listener)> keep;
    std::function<void(const std::string& name)> drop;
    int calls = -1;
    std::map<std::string, UniqueFd> listeners{};  // by the names that they were kept by
  };
  // Goes on with the registered containers, and with what was left. `helpers` know MemoryWriter::kKind.
  static Result<std::unique_ptr<Supervisor>> start(Registry& registry, sys::Helpers& helpers, Kept kept);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Forgets the container when its init ends.
  Result<> watch_init(const ContainerRef& container, UniqueFd pidfd);
  // Without a container the one of each caller is meant. The same listener twice is one.
  Result<> add_listener(const ContainerRef& container, UniqueFd listener);
  // Whether there is any listener.
  bool listens();
  // The container was removed: its init need not be watched any longer.
  void unwatch_init(const Container& container);

 private:
  struct Watch {
    ContainerRef container;  // null for a listener whose callers say which
    UniqueFd fd;
    bool listener = false;
    std::string name{};  // of a listener: by which it is kept
  };
  using WatchRef = std::shared_ptr<Watch>;

  Supervisor(Registry& registry, sys::Helpers& helpers, CpuMaskRules rules, UniqueFd epoll, UniqueFd wake,
             PendingCalls calls, Kept kept)
      : registry_(registry),
        helpers_(helpers),
        rules_(rules),
        epoll_(std::move(epoll)),
        wake_(std::move(wake)),
        calls_(std::move(calls)),
        kept_(std::move(kept)) {}
  std::size_t go_on();  // how many threads what was left needs
  void answer_left(std::size_t slot, MemoryWriter& writer);
  // False when it was interrupted by the end: the call is left to a successor.
  bool answer(const Watch& watch, const seccomp_notif& notification, MemoryWriter& writer);
  bool known(const ContainerRef& container, int listener);
  template <typename Action>
  void busy(Action action);
  std::uint64_t next_key();
  Result<> watch(std::uint64_t key, WatchRef watch);
  WatchRef find(std::uint64_t key);
  void rearm(std::uint64_t key, const Watch& watch);
  void work(std::size_t slot);
  void start_thread();  // with mutex_ held
  void handle(std::size_t slot, std::uint64_t key, std::uint32_t events, MemoryWriter& writer);
  void ended(std::uint64_t key, const WatchRef& watch);

  Registry& registry_;
  sys::Helpers& helpers_;
  const CpuMaskRules rules_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  PendingCalls calls_;
  Kept kept_;
  std::mutex mutex_;  // leaf
  std::map<std::uint64_t, WatchRef> watches_;
  std::uint64_t last_key_ = 0;
  std::vector<std::thread> threads_;
  std::size_t waiting_ = 0;  // threads that can take the next event
  bool stopping_ = false;
};

}  // namespace nacre::procfs
