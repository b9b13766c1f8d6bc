// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/supervisor.h"

#include <linux/kcmp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/process.h"
#include "procfs/sysinfo/answer.h"

namespace nacre::procfs {
namespace {

// Writing into a caller's memory may wait for a file system of the caller's choice. Another
// thread takes over then, so that no container can hold up the others; up to this many.
constexpr std::size_t kMostThreads = PendingCalls::kSlots;
constexpr std::uint64_t kWake = 0;

// All names together have to fit into one environment variable of a successor (128 KiB), so they are short.
constexpr int kBase = 36;

std::string in_base(std::uint64_t number) {
  std::array<char, 16> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), number, kBase).ptr};
}

std::optional<std::uint64_t> from_base(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number, kBase);
  return error == std::errc() && end == text.end() ? std::optional(number) : std::nullopt;
}

// 0 is the number of no container.
std::string name_of(const ContainerRef& container, std::uint64_t key) {
  return std::string(kListenerPrefix) + in_base(container ? container->number() : 0) + "-" + in_base(key);
}

// kcmp(2): two descriptors of this process for one open file.
bool same_file(int one, int other) {
  const auto self = ::getpid();
  return ::syscall(SYS_kcmp, self, self, KCMP_FILE, one, other) == 0;
}

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::start(Registry& registry, sys::Helpers& helpers, Kept kept) {
  auto calls = TRY(PendingCalls::map(kept.calls));
  const auto rules = TRY(cpu_mask_rules());
  UniqueFd epoll{TRY(sys::checked([] { return ::epoll_create1(EPOLL_CLOEXEC); }))};
  UniqueFd wake{TRY(sys::checked([] { return ::eventfd(0, EFD_CLOEXEC); }))};
  // Never read, so that it wakes every thread.
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kWake}};
  TRY(sys::succeed([&] { return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event); }));
  std::unique_ptr<Supervisor> supervisor(new Supervisor(registry, helpers, rules, std::move(epoll),
                                                        std::move(wake), std::move(calls), std::move(kept)));
  const auto threads = std::max<std::size_t>(supervisor->go_on(), 1);
  const std::lock_guard lock(supervisor->mutex_);
  for (std::size_t i = 0; i < threads; ++i) supervisor->start_thread();
  return supervisor;
}

// Before any thread of ours runs.
std::size_t Supervisor::go_on() {
  std::map<std::uint64_t, WatchRef> left;
  for (auto& [name, listener] : kept_.listeners) {
    const auto words = split(std::string_view(name).substr(kListenerPrefix.size()), '-');
    const auto number = words.size() == 2 ? from_base(words[0]) : std::nullopt;
    const auto key = words.size() == 2 ? from_base(words[1]) : std::nullopt;
    if (!number || !key) {
      kept_.drop(name);
      continue;
    }
    last_key_ = std::max(last_key_, *key);
    // One that is not registered any more may run on all the same, with its calls trapped.
    const auto container = registry_.by_number(static_cast<ContainerNumber>(*number));
    left[*key] = std::make_shared<Watch>(container, std::move(listener), true, name);
  }
  kept_.listeners.clear();
  // Each stays in its slot until that slot's thread has answered it: a caller's memory may hold it up.
  std::size_t threads = 0;
  for (const auto& call : calls_.left()) {
    if (left.contains(call.key))
      threads = std::max(threads, call.slot + 1);
    else
      calls_.answered(call.slot);
  }

  for (const auto& container : registry_.all()) {
    const bool listened =
        std::ranges::any_of(left, [&](const auto& item) { return item.second->container == container; });
    const pid_t init = registry_.init_of(*container);
    if (listened || init <= 0) continue;
    auto pidfd = sys::pidfd_open(init);
    if (!pidfd || !registry_.alive(*container) || !watch_init(container, std::move(*pidfd)))
      registry_.remove(*container);
  }
  for (auto& [key, listener] : left) static_cast<void>(watch(key, listener));
  return threads;
}

std::uint64_t Supervisor::next_key() {
  const std::lock_guard lock(mutex_);
  return ++last_key_;
}

Supervisor::~Supervisor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  static_cast<void>(!::eventfd_write(wake_.get(), 1));
  for (auto& thread : threads_) thread.join();
}

void Supervisor::start_thread() {
  ++waiting_;
  threads_.emplace_back([this, slot = threads_.size()] { work(slot); });
}

Result<> Supervisor::watch(std::uint64_t key, WatchRef watch) {
  {
    const std::lock_guard lock(mutex_);
    watches_[key] = watch;
  }
  epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = key}};
  auto added =
      sys::succeed([&] { return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watch->fd.get(), &event); });
  if (!added) {
    const std::lock_guard lock(mutex_);
    watches_.erase(key);
  }
  return added;
}

Result<> Supervisor::watch_init(const ContainerRef& container, UniqueFd pidfd) {
  return watch(next_key(), std::make_shared<Watch>(container, std::move(pidfd), false));
}

Result<> Supervisor::add_listener(const ContainerRef& container, UniqueFd listener) {
  const auto whose = container ? "container " + container->id() : std::string("an unregistered container");
  if (!is_listener(listener.get())) return bad_input(whose + ": the descriptor is no seccomp listener");
  if (container && known(container, listener.get())) return {};
  prefer_sync_wake_up(listener.get());
  const auto key = next_key();
  auto name = name_of(container, key);
  // First of all: from here on a call that waits is answered, whatever becomes of us.
  TRY(kept_.keep(name, listener.get()));
  TRY(during("watch the seccomp listener of " + whose,
             watch(key, std::make_shared<Watch>(container, std::move(listener), true, std::move(name)))));
  if (container) unwatch_init(*container);
  return {};
}

bool Supervisor::known(const ContainerRef& container, int listener) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(watches_, [&](const auto& item) {
    const auto& watch = *item.second;
    return watch.listener && watch.container == container && same_file(watch.fd.get(), listener);
  });
}

bool Supervisor::listens() {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(watches_, [](const auto& item) { return item.second->listener; });
}

void Supervisor::unwatch_init(const Container& container) {
  const std::lock_guard lock(mutex_);
  std::erase_if(watches_, [&](const auto& item) {
    return !item.second->listener && item.second->container.get() == &container;
  });
}

Supervisor::WatchRef Supervisor::find(std::uint64_t key) {
  const std::lock_guard lock(mutex_);
  const auto found = watches_.find(key);
  return found == watches_.end() ? nullptr : found->second;
}

void Supervisor::rearm(std::uint64_t key, const Watch& watch) {
  epoll_event event{.events = EPOLLIN | EPOLLONESHOT, .data = {.u64 = key}};
  static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch.fd.get(), &event));
}

// With another thread to wait for events meanwhile, if there is none.
template <typename Action>
void Supervisor::busy(Action action) {
  {
    const std::lock_guard lock(mutex_);
    if (--waiting_ == 0 && threads_.size() < kMostThreads && !stopping_) start_thread();
  }
  action();
  const std::lock_guard lock(mutex_);
  ++waiting_;
}

void Supervisor::answer_left(std::size_t slot, MemoryWriter& writer) {
  const auto call = calls_.left(slot);
  if (!call) return;
  busy([&] {
    const auto watch = find(call->key);
    if (!watch || answer(*watch, call->call, writer)) calls_.answered(slot);
  });
}

bool Supervisor::answer(const Watch& watch, const seccomp_notif& notification, MemoryWriter& writer) {
  auto container = watch.container;
  if (!container) container = registry_.of_caller(static_cast<pid_t>(notification.pid)).value_or(nullptr);
  const int listener = watch.fd.get();
  const auto answered = container ? answer_call(listener, notification, *container, rules_, writer)
                                  : answer_continue(listener, notification.id);
  if (answered || answered.error().code != ECANCELED) return true;
  const std::lock_guard lock(mutex_);
  return !stopping_;
}

void Supervisor::work(std::size_t slot) {
  MemoryWriter writer(helpers_, wake_.get());
  answer_left(slot, writer);
  for (;;) {
    epoll_event event{};
    const int count = ::epoll_wait(epoll_.get(), &event, 1, -1);
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    if (count > 0) busy([&] { handle(slot, event.data.u64, event.events, writer); });
  }
}

void Supervisor::handle(std::size_t slot, std::uint64_t key, std::uint32_t events, MemoryWriter& writer) {
  const auto watch = find(key);
  if (!watch) return;  // unwatched meanwhile
  if (!watch->listener || (events & EPOLLIN) == 0) {
    ended(key, watch);
    return;
  }
  const auto notification = calls_.receive(slot, key, watch->fd.get());
  if (!notification) {
    ended(key, watch);
    return;
  }
  if (*notification && !answer(*watch, **notification, writer)) return;
  calls_.answered(slot);
  rearm(key, *watch);
}

void Supervisor::ended(std::uint64_t key, const WatchRef& watch) {
  const auto& container = watch->container;
  bool listened = false;
  // A listener may be open elsewhere too, so closing ours would leave it in the set.
  static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watch->fd.get(), nullptr));
  if (watch->listener) kept_.drop(watch->name);
  {
    const std::lock_guard lock(mutex_);
    watches_.erase(key);
    listened = std::ranges::any_of(watches_, [&](const auto& item) {
      return item.second->listener && item.second->container == container;
    });
  }
  if (!container) return;
  if (!watch->listener) {
    registry_.remove(*container);
  } else if (!listened) {
    // Only the last listener's end says something: the container may have ended with it.
    const pid_t init = registry_.init_of(*container);
    auto pidfd = init > 0 ? sys::pidfd_open(init) : fail(ESRCH);
    if (pidfd && registry_.alive(*container)) {
      static_cast<void>(watch_init(container, std::move(*pidfd)));
    } else {
      registry_.remove(*container);
    }
  }
}

}  // namespace nacre::procfs
