// SPDX-License-Identifier: Apache-2.0
#include "runtime/flow.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/unique_fd.h"

namespace nacre::runtime {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
    read = UniqueFd{ends[0]};
    write = UniqueFd{ends[1]};
  }
  UniqueFd read, write;
};

class FlowTest : public ::testing::Test {
 protected:
  void SetUp() override { ::signal(SIGPIPE, SIG_IGN); }
  void say(const std::string& text) {
    ASSERT_EQ(::write(from_.write.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string heard() {
    std::array<char, 100> buffer;
    const auto size = ::read(to_.read.get(), buffer.data(), buffer.size());
    return {buffer.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
  }
  Pipe from_, to_;
  Flow flow_{from_.read.get(), to_.write.get()};
};

TEST_F(FlowTest, CarriesBytes) {
  say("hello");
  EXPECT_EQ(flow_.fill(), "hello");
  EXPECT_TRUE(flow_.waiting());
  EXPECT_TRUE(flow_.drain());
  EXPECT_FALSE(flow_.waiting());
  EXPECT_EQ(heard(), "hello");
}

TEST_F(FlowTest, ReadsNothingWhileSomethingWaits) {
  EXPECT_EQ(flow_.source().fd, from_.read.get());
  EXPECT_EQ(flow_.sink().fd, -1);
  say("x");
  flow_.fill();
  EXPECT_EQ(flow_.source().fd, -1);
  EXPECT_EQ(flow_.sink().fd, to_.write.get());
}

TEST_F(FlowTest, AFullSinkKeepsWhatWaits) {
  const std::string block(4096, 'b');
  while (::write(to_.write.get(), block.data(), block.size()) > 0) {
  }
  say("last");
  flow_.fill();
  EXPECT_TRUE(flow_.drain());
  EXPECT_TRUE(flow_.waiting());
}

TEST_F(FlowTest, ALostReaderEndsIt) {
  to_.read.reset();
  say("x");
  flow_.fill();
  EXPECT_FALSE(flow_.drain());
  EXPECT_FALSE(flow_.waiting());
  // What comes later is read and dropped, so that the writer is not held up.
  say("y");
  EXPECT_EQ(flow_.fill(), "y");
  EXPECT_FALSE(flow_.waiting());
}

TEST_F(FlowTest, TheEndOfInputIsSeenOnceAndSaysItsOwnLastWord) {
  from_.write.reset();
  EXPECT_EQ(flow_.fill(), "");
  EXPECT_TRUE(flow_.ended());
  flow_.put("bye");
  EXPECT_TRUE(flow_.drain());
  EXPECT_EQ(heard(), "bye");
}

TEST_F(FlowTest, NothingToReadIsNotTheEnd) {
  EXPECT_EQ(flow_.fill(), "");
  EXPECT_FALSE(flow_.ended());
}

}  // namespace
}  // namespace nacre::runtime
