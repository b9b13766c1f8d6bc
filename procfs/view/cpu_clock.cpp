// SPDX-License-Identifier: Apache-2.0
#include "procfs/view/cpu_clock.h"

#include <algorithm>

#include "procfs/view/arithmetic.h"

namespace nacre::procfs {
namespace {

// part / whole of amount, without overflow.
std::uint64_t proportion(std::uint64_t amount, std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(amount) * part / whole);
}

// Deals amounts out evenly. What does not divide goes to the next CPUs in turn, whichever
// amount it is of, so that amounts adding up to N times t give each of N CPUs exactly t.
class Dealer {
 public:
  explicit Dealer(std::vector<CpuTimes*> cpus) : cpus_(std::move(cpus)) {}
  void deal(std::uint64_t amount, std::uint64_t CpuTimes::*field) {
    for (auto* const cpu : cpus_) cpu->*field += amount / cpus_.size();
    for (std::uint64_t left = amount % cpus_.size(); left > 0; --left, next_ = (next_ + 1) % cpus_.size())
      ++(cpus_[next_]->*field);
  }

 private:
  std::vector<CpuTimes*> cpus_;
  std::size_t next_ = 0;
};

}  // namespace

CpuTimes& CpuTimes::operator+=(const CpuTimes& other) {
  user += other.user;
  nice += other.nice;
  system += other.system;
  idle += other.idle;
  iowait += other.iowait;
  steal += other.steal;
  return *this;
}

// Divides busy time as the kernel's own user/system counters did meanwhile.
CpuClock::Share CpuClock::split(std::uint64_t busy, const CpuUsage& usage) {
  const auto user = saturating_sub(usage.user, last_.user);
  const auto system = saturating_sub(usage.system, last_.system);
  const auto nice = std::min(saturating_sub(usage.nice, last_.nice), user);
  Share share{};
  share.system = proportion(busy, system, user + system);
  share.nice = proportion(busy, nice, user + system);
  share.user = busy - share.system - share.nice;
  return share;
}

void CpuClock::advance(std::uint64_t uptime, const std::vector<unsigned>& numbers, const CpuUsage& usage) {
  numbers_ = numbers;
  std::vector<CpuTimes*> cpus;
  for (const auto number : numbers_) cpus.push_back(&cpus_[number]);
  if (uptime <= uptime_) return;

  const std::uint64_t room = (uptime - uptime_) * cpus.size();
  const std::uint64_t used = saturating_add(saturating_sub(usage.total, last_.total), debt_);
  const std::uint64_t busy = std::min(used, room);
  // Usage from before the container's start (a cgroup used again) is no debt.
  debt_ = started_ ? used - busy : 0;
  const std::uint64_t steal = std::min(saturating_sub(usage.throttled, last_.throttled), room - busy);
  const std::uint64_t waited =
      std::min({saturating_sub(usage.io_stalled, last_.io_stalled), uptime - uptime_, room - busy - steal});
  const auto share = split(busy, usage);

  Dealer dealer(std::move(cpus));
  dealer.deal(share.user, &CpuTimes::user);
  dealer.deal(share.nice, &CpuTimes::nice);
  dealer.deal(share.system, &CpuTimes::system);
  dealer.deal(steal, &CpuTimes::steal);
  dealer.deal(waited, &CpuTimes::iowait);
  dealer.deal(room - busy - steal - waited, &CpuTimes::idle);
  uptime_ = uptime;
  started_ = true;
  last_ = {std::max(usage.total, last_.total),         std::max(usage.user, last_.user),
           std::max(usage.system, last_.system),       std::max(usage.nice, last_.nice),
           std::max(usage.throttled, last_.throttled), std::max(usage.io_stalled, last_.io_stalled)};
}

std::vector<CpuTimes> CpuClock::cpus() const {
  std::vector<CpuTimes> cpus;
  for (const auto number : numbers_) cpus.push_back(cpus_.at(number));
  return cpus;
}

std::vector<std::uint64_t> CpuClock::state() const {
  std::vector<std::uint64_t> words{uptime_,      debt_,      started_ ? 1u : 0u, last_.total,     last_.user,
                                   last_.system, last_.nice, last_.throttled,    last_.io_stalled};
  for (const auto& [number, cpu] : cpus_)
    words.insert(words.end(), {number, cpu.user, cpu.nice, cpu.system, cpu.idle, cpu.iowait, cpu.steal});
  return words;
}

void CpuClock::restore(const std::vector<std::uint64_t>& words) {
  constexpr std::size_t kHead = 9, kEach = 7;
  if (words.size() < kHead || (words.size() - kHead) % kEach != 0) return;
  uptime_ = words[0];
  debt_ = words[1];
  started_ = words[2] != 0;
  last_ = {words[3], words[4], words[5], words[6], words[7], words[8]};
  numbers_.clear();
  cpus_.clear();
  for (auto at = kHead; at < words.size(); at += kEach)
    cpus_[static_cast<unsigned>(words[at])] = {words[at + 1], words[at + 2], words[at + 3],
                                               words[at + 4], words[at + 5], words[at + 6]};
}

CpuTimes CpuClock::total() const {
  CpuTimes total;
  for (const auto& [number, cpu] : cpus_) total += cpu;
  return total;
}

}  // namespace nacre::procfs
