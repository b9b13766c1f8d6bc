// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdint>
#include <map>
#include <random>

#include "procfs/view/cpu_clock.h"
#include "procfs/view/cpu_count.h"

namespace nacre::procfs {
namespace {

using cgroup::kUnlimited;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr std::uint64_t kSecond = 1'000'000;
const std::vector<unsigned> kOnline{0, 1, 2, 3, 4, 5, 6, 7};

CpuSample quotas(std::vector<cgroup::Quota> quotas, std::vector<unsigned> allowed = {}) {
  CpuSample sample;
  sample.quotas = std::move(quotas);
  sample.allowed = std::move(allowed);
  return sample;
}

std::vector<unsigned> first(std::size_t count) {
  return {kOnline.begin(), kOnline.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(VisibleCpus, AQuotaIsRoundedUp) {
  EXPECT_THAT(visible_cpus(quotas({{150'000, 100'000}}), kOnline), ElementsAre(0, 1));
  EXPECT_THAT(visible_cpus(quotas({{200'000, 100'000}}), kOnline), ElementsAre(0, 1));
  EXPECT_THAT(visible_cpus(quotas({{1'000, 100'000}}), kOnline), ElementsAre(0));
}

TEST(VisibleCpus, TheSmallestQuotaOnTheWayUpCounts) {
  EXPECT_THAT(visible_cpus(quotas({{kUnlimited, 100'000}, {100'000, 50'000}, {300'000, 100'000}}), kOnline),
              SizeIs(2));
}

TEST(VisibleCpus, TheCpusetBoundsAndNamesThem) {
  EXPECT_THAT(visible_cpus(quotas({}, {4, 6, 7}), kOnline), ElementsAre(4, 6, 7));
  EXPECT_THAT(visible_cpus(quotas({{150'000, 100'000}}, {4, 6, 7}), kOnline), ElementsAre(4, 6));
  EXPECT_THAT(visible_cpus(quotas({{900'000, 100'000}}, {4, 6, 7}), kOnline), SizeIs(3));
}

TEST(VisibleCpus, CpusThatAreOfflineAreNotThere) {
  EXPECT_THAT(visible_cpus(quotas({}, {6, 7, 8, 9}), kOnline), ElementsAre(6, 7));
  EXPECT_THAT(visible_cpus(quotas({}), kOnline), SizeIs(8));
}

TEST(CpuClock, IdleFillsWhatIsNotUsed) {
  CpuClock clock;
  clock.advance(10 * kSecond, first(2), {.total = 6 * kSecond, .user = 4 * kSecond, .system = 2 * kSecond});
  for (const auto& cpu : clock.cpus()) {
    EXPECT_EQ(cpu.user, 2 * kSecond);
    EXPECT_EQ(cpu.system, 1 * kSecond);
    EXPECT_EQ(cpu.idle, 7 * kSecond);
  }
  EXPECT_EQ(clock.total().sum(), 20 * kSecond);
}

TEST(CpuClock, WithheldTimeIsSteal) {
  CpuClock clock;
  clock.advance(10 * kSecond, first(1),
                {.total = 5 * kSecond, .user = 5 * kSecond, .throttled = 5 * kSecond});
  EXPECT_EQ(clock.total(), (CpuTimes{.user = 5 * kSecond, .steal = 5 * kSecond}));
}

TEST(CpuClock, TimeInWhichAllWaitedForIoIsIowaitOfOneCpu) {
  CpuClock clock;
  clock.advance(10 * kSecond, first(2),
                {.total = 5 * kSecond, .user = 5 * kSecond, .io_stalled = 4 * kSecond});
  EXPECT_EQ(clock.total(), (CpuTimes{.user = 5 * kSecond, .idle = 11 * kSecond, .iowait = 4 * kSecond}));
  // Never more than there was time, nor than was idle.
  clock.advance(11 * kSecond, first(2),
                {.total = 5 * kSecond, .user = 5 * kSecond, .io_stalled = 400 * kSecond});
  EXPECT_EQ(clock.total().iowait, 5 * kSecond);
  clock.advance(12 * kSecond, first(1),
                {.total = 6 * kSecond, .user = 6 * kSecond, .io_stalled = 500 * kSecond});
  EXPECT_EQ(clock.total().iowait, 5 * kSecond);
  EXPECT_EQ(clock.total().sum(), 23 * kSecond);
}

TEST(CpuClock, MoreThanFitsIsShownLater) {
  CpuClock clock;
  clock.advance(1 * kSecond, first(1), {});
  clock.advance(2 * kSecond, first(1), {.total = 3 * kSecond, .user = 3 * kSecond});
  EXPECT_EQ(clock.total().user, 1 * kSecond);
  clock.advance(5 * kSecond, first(1), {.total = 3 * kSecond, .user = 3 * kSecond});
  EXPECT_EQ(clock.total().user, 3 * kSecond);
  EXPECT_EQ(clock.total().sum(), 5 * kSecond);
}

TEST(CpuClock, NiceIsPartOfUser) {
  CpuClock clock;
  clock.advance(10 * kSecond, first(1),
                {.total = 4 * kSecond, .user = 3 * kSecond, .system = 1 * kSecond, .nice = 2 * kSecond});
  EXPECT_EQ(clock.total(),
            (CpuTimes{.user = 1 * kSecond, .nice = 2 * kSecond, .system = 1 * kSecond, .idle = 6 * kSecond}));
}

TEST(CpuClock, ACpuCountsTheTimeInWhichItIsThere) {
  CpuClock clock;
  clock.advance(4 * kSecond, {0}, {.total = 4 * kSecond, .user = 4 * kSecond});
  clock.advance(5 * kSecond, {0, 1}, {.total = 4 * kSecond, .user = 4 * kSecond});
  EXPECT_EQ(clock.cpus()[1].idle, 1 * kSecond);
  EXPECT_EQ(clock.total().sum(), 6 * kSecond);
}

TEST(CpuClock, TimesStayWithTheirNumber) {
  CpuClock clock;
  clock.advance(1 * kSecond, {1, 3}, {.total = 2 * kSecond, .user = 2 * kSecond});
  clock.advance(2 * kSecond, {3, 5}, {.total = 2 * kSecond, .user = 2 * kSecond});
  EXPECT_THAT(clock.cpus(),
              ElementsAre(CpuTimes{.user = kSecond, .idle = kSecond}, CpuTimes{.idle = kSecond}));
  CpuClock successor;
  successor.restore(clock.state());
  successor.advance(2 * kSecond, {1, 3, 5}, {});
  EXPECT_EQ(successor.cpus()[0].sum(), kSecond);
  EXPECT_EQ(successor.total(), clock.total());
}

// The rules that make top, vmstat and uptime agree, for any history of the counters.
TEST(CpuClockProperty, SumsAreExactAndNothingGoesBack) {
  std::mt19937_64 random(42);
  for (int run = 0; run < 200; ++run) {
    const std::size_t count = random() % 5 + 1;
    CpuClock clock;
    CpuUsage usage;
    std::uint64_t uptime = 0;
    auto last = std::vector<CpuTimes>(count);
    for (int step = 0; step < 200; ++step) {
      if (random() % 10 != 0) uptime += random() % (3 * kSecond);
      usage.total += random() % (2 * kSecond);
      usage.user += random() % (2 * kSecond);
      usage.system += random() % kSecond;
      usage.nice += random() % kSecond;
      usage.throttled += random() % kSecond;
      usage.io_stalled += random() % kSecond;
      if (random() % 20 == 0)
        usage.total -= std::min<std::uint64_t>(usage.total, random() % kSecond);  // a reset
      clock.advance(uptime, first(count), usage);
      const auto now = clock.cpus();
      ASSERT_EQ(now.size(), count);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(now[i].sum(), uptime);
        ASSERT_GE(now[i].user, last[i].user);
        ASSERT_GE(now[i].nice, last[i].nice);
        ASSERT_GE(now[i].system, last[i].system);
        ASSERT_GE(now[i].idle, last[i].idle);
        ASSERT_GE(now[i].iowait, last[i].iowait);
        ASSERT_GE(now[i].steal, last[i].steal);
      }
      ASSERT_EQ(clock.total().sum(), count * uptime);
      last = now;
    }
  }
}

TEST(CpuClockProperty, TheTotalIsTheIntegralOfAChangingSetAndNothingGoesBack) {
  std::mt19937_64 random(7);
  CpuClock clock;
  CpuUsage usage;
  std::uint64_t uptime = 0, integral = 0;
  CpuTimes last;
  std::map<unsigned, CpuTimes> last_of;
  for (int step = 0; step < 5000; ++step) {
    const auto passed = random() % kSecond;
    uptime += passed;
    usage.total += random() % kSecond;
    usage.user += random() % kSecond;
    usage.system += random() % kSecond;
    std::vector<unsigned> numbers;
    for (unsigned number = 0; number < 6; ++number)
      if (random() % 2 == 0 || (number == 5 && numbers.empty())) numbers.push_back(number);
    integral += passed * numbers.size();
    clock.advance(uptime, numbers, usage);
    const auto cpus = clock.cpus();
    ASSERT_THAT(cpus, SizeIs(numbers.size()));
    for (std::size_t i = 0; i < cpus.size(); ++i) {
      auto& before = last_of[numbers[i]];
      ASSERT_GE(cpus[i].user, before.user);
      ASSERT_GE(cpus[i].system, before.system);
      ASSERT_GE(cpus[i].idle, before.idle);
      ASSERT_EQ(cpus[i].sum(), before.sum() + passed);
      before = cpus[i];
    }
    const auto total = clock.total();
    ASSERT_EQ(total.sum(), integral);
    ASSERT_GE(total.user, last.user);
    ASSERT_GE(total.system, last.system);
    ASSERT_GE(total.idle, last.idle);
    last = total;
  }
}

}  // namespace
}  // namespace nacre::procfs
