// SPDX-License-Identifier: Apache-2.0
#include "procfs/pressure/triggers.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "base/parse.h"
#include "base/sys/checked.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

constexpr std::uint64_t kStop = 0;  // no trigger's number
constexpr std::uint64_t kUnprivilegedWindow = 2'000'000;

// "some THRESHOLD WINDOW" or "full …", microseconds, with or without the NUL of a C string.
Result<> check(std::string_view text) {
  const auto words = split_blank(trim(text.substr(0, text.find('\0'))));
  if (words.size() != 3 || (words[0] != "some" && words[0] != "full")) return fail(EINVAL);
  const auto threshold = parse_int<std::uint64_t>(words[1]), window = parse_int<std::uint64_t>(words[2]);
  if (!threshold || !window || *window == 0 || *window % kUnprivilegedWindow != 0) return fail(EINVAL);
  return {};
}

}  // namespace

PressureTrigger::State PressureTrigger::poll(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  const auto state = state_;
  if (state == State::fired) state_ = State::waiting;
  return state;
}

void PressureTrigger::fire(State state) {
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::gone) state_ = state;
    wake = std::exchange(wake_, {});
  }
  if (wake) wake();
}

Result<std::unique_ptr<PressureTriggers>> PressureTriggers::start() {
  UniqueFd epoll{TRY(sys::checked([] { return ::epoll_create1(EPOLL_CLOEXEC); }))};
  UniqueFd stop{TRY(sys::checked([] { return ::eventfd(0, EFD_CLOEXEC); }))};
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kStop}};
  TRY(sys::succeed([&] { return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, stop.get(), &event); }));
  std::unique_ptr<PressureTriggers> triggers(new PressureTriggers(std::move(epoll), std::move(stop)));
  triggers->thread_ = std::thread([raw = triggers.get()] { raw->work(); });
  return triggers;
}

void PressureTriggers::stop() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

Result<std::shared_ptr<PressureTrigger>> PressureTriggers::arm(const std::string& path,
                                                               std::string_view text) {
  TRY(check(text));
  if (path.empty()) return fail(EOPNOTSUPP);
  auto file = sys::open_at(AT_FDCWD, path.c_str(), O_RDWR | O_NONBLOCK);
  if (!file && file.error().code == ENOENT) return fail(EOPNOTSUPP);
  if (!file) return std::unexpected(file.error());
  TRY(sys::write_all(file->get(), text.substr(0, text.find('\0'))));

  std::uint64_t number = 0;
  std::shared_ptr<PressureTrigger> trigger;
  {
    const std::lock_guard lock(mutex_);
    const auto here = at_path_.find(path);
    if (triggers_.size() >= kMost || (here != at_path_.end() && here->second >= kMostAtPath))
      return fail(ENOSPC);
    ++at_path_[path];
    number = ++last_;
    // Closing the file takes it out of the epoll set, too.
    trigger = {new PressureTrigger(std::move(*file)), [this, number, path](PressureTrigger* gone) {
                 forget(number, path);
                 delete gone;
               }};
    triggers_[number] = trigger;
  }
  epoll_event event{.events = EPOLLPRI, .data = {.u64 = number}};
  TRY(sys::succeed([&] { return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, trigger->file(), &event); }));
  return trigger;
}

void PressureTriggers::forget(std::uint64_t number, const std::string& path) {
  const std::lock_guard lock(mutex_);
  triggers_.erase(number);
  if (const auto here = at_path_.find(path); here != at_path_.end() && --here->second == 0)
    at_path_.erase(here);
}

void PressureTriggers::work() {
  std::array<epoll_event, 16> events{};
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == kStop) return;
      std::shared_ptr<PressureTrigger> trigger;
      {
        const std::lock_guard lock(mutex_);
        const auto known = triggers_.find(event.data.u64);
        if (known != triggers_.end()) trigger = known->second.lock();
      }
      if (!trigger) continue;
      // The cgroup was removed: it would be reported for ever.
      const bool gone = (event.events & EPOLLERR) != 0;
      if (gone) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, trigger->file(), nullptr);
      trigger->fire(gone ? PressureTrigger::State::gone : PressureTrigger::State::fired);
    }
  }
}

}  // namespace nacre::procfs
