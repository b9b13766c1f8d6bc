// SPDX-License-Identifier: Apache-2.0
#include "procfs/state/state_file.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys/file.h"
#include "tests/support/result_matchers.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// In a small one the log is written anew when the half is full, in a large one before that.
constexpr std::size_t kSmall = 64u << 10, kLarge = 1u << 20;

StateFile successor_of(const StateFile& file) {
  return std::move(*StateFile::open(UniqueFd{::dup(file.descriptor())}));
}

TEST(StateFileTest, ASuccessorFindsTheLastValues) {
  auto file = std::move(*StateFile::create(kSmall));
  ASSERT_THAT(file.put("c/1", "one"), Succeeds());
  ASSERT_THAT(file.put("c/2", "two"), Succeeds());
  ASSERT_THAT(file.put("c/1", "uno"), Succeeds());
  ASSERT_THAT(file.put("d/1", ""), Succeeds());
  file.erase("c/2");
  file.erase("never");
  auto next = successor_of(file);
  EXPECT_THAT(next.entries_below("c/"), ElementsAre(Pair("c/1", "uno")));
  EXPECT_THAT(next.entries_below(""), ElementsAre(Pair("c/1", "uno"), Pair("d/1", "")));
  EXPECT_EQ(next.value("c/1"), "uno");
  EXPECT_THAT(next.value("c/2"), IsEmpty());
  ASSERT_THAT(next.put("c/3", "three"), Succeeds());
  EXPECT_EQ(successor_of(next).value("c/3"), "three");
}

class StateFiles : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(OfSizes, StateFiles, testing::Values(kSmall, kLarge));

TEST_P(StateFiles, GoOnForEver) {
  auto file = std::move(*StateFile::create(GetParam()));
  ASSERT_THAT(file.put("kept", "value"), Succeeds());
  for (int i = 0; i < 5000; ++i) {
    const auto key = "k" + std::to_string(i % 7);
    ASSERT_THAT(file.put(key, std::string(500, static_cast<char>('a' + i % 26))), Succeeds());
    if (i % 3 == 0) file.erase(key);
  }
  EXPECT_EQ(file.value("kept"), "value");
  EXPECT_EQ(successor_of(file).entries_below(""), file.entries_below(""));
}

TEST(StateFileTest, WhatIsTooMuchIsRefused) {
  auto file = std::move(*StateFile::create(kSmall));
  ASSERT_THAT(file.put("a", std::string(kSmall / 2, 'a')), Succeeds());
  EXPECT_THAT(file.put("b", std::string(kSmall / 2, 'b')), FailsWith(ENOSPC));
  EXPECT_EQ(successor_of(file).value("a").size(), kSmall / 2);
  EXPECT_THAT(StateFile::open(*sys::memory_file("other", "something else")), FailsWith(EINVAL));
}

// What is erased stays so, also when there is no room to say it.
TEST(StateFileTest, AFullOneForgetsWhatIsErased) {
  for (std::size_t rest = 0; rest < 80; rest += 8) {
    auto file = std::move(*StateFile::create(kSmall));
    ASSERT_THAT(file.put("gone", "value"), Succeeds());
    // Besides it there are the records' heads of 16 bytes, and keys and values rounded up to 8.
    ASSERT_THAT(file.put("kept", std::string(kSmall - (16 + 16) - (16 + 8) - rest, 'k')), Succeeds());
    file.erase("gone");
    const auto next = successor_of(file);
    EXPECT_THAT(next.value("gone"), IsEmpty()) << rest;
    EXPECT_EQ(next.entries_below(""), file.entries_below("")) << rest;
    EXPECT_EQ(next.entries_below("").size(), 1u) << rest;
  }
}

// The writer is killed anywhere: every value is one that was put, and no counter is less than what was seen.
TEST_P(StateFiles, LoseNothingWhenTheirWriterIsKilled) {
  auto file = std::move(*StateFile::create(GetParam()));
  std::uint64_t seen = 0;
  for (int round = 0; round < 60; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      auto own = successor_of(file);
      for (auto i = seen + 1;; ++i) {
        const auto text = std::to_string(i);
        if (!own.put("count", text) ||
            !own.put("copy" + std::to_string(i % 5), text + std::string(i % 900, '.')))
          ::_exit(1);
        if (::write(ends[1], &i, sizeof(i)) != sizeof(i)) ::_exit(1);
      }
    }
    ::close(ends[1]);
    std::uint64_t last = 0;
    for (int i = 0; i < 20 + round * 13; ++i) ASSERT_EQ(::read(ends[0], &last, sizeof(last)), sizeof(last));
    ::kill(child, SIGKILL);
    while (::read(ends[0], &last, sizeof(last)) == sizeof(last)) {
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto next = successor_of(file);
    const auto count = std::stoull(next.value("count"));
    EXPECT_GE(count, last);
    EXPECT_LE(count, last + 1);
    for (const auto& [key, value] : next.entries_below("copy")) {
      const auto number = std::stoull(value);
      EXPECT_EQ(value, std::to_string(number) + std::string(number % 900, '.')) << key;
    }
    seen = count;
  }
}

}  // namespace
}  // namespace nacre::procfs
