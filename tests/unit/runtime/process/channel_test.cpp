// SPDX-License-Identifier: Apache-2.0
#include "runtime/process/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "base/sys/socket.h"
#include "runtime/process/converse.h"
#include "runtime/process/gate.h"
#include "runtime/process/init.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::runtime::process {
namespace {

using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() {
    auto ends = sys::seqpacket_pair();
    parent_.emplace(std::move(ends->first));
    child_.emplace(std::move(ends->second));
  }
  std::optional<Channel> parent_, child_;
};

TEST(ErrorCoding, RoundTrips) {
  for (const Error& error : {Error{ENOENT, "open x"}, Error{kBadInput, "a b\nc"}, Error{EIO, ""}}) {
    const auto again = decode_error(encode(error));
    EXPECT_EQ(again.code, error.code);
    EXPECT_EQ(again.context, error.context);
  }
  EXPECT_EQ(decode_error("nonsense").code, EPROTO);
  EXPECT_EQ(decode_error("").code, EPROTO);
  EXPECT_LE(encode({EIO, std::string(1u << 20, 'x')}).size(), sys::kMessageLimit);
}

TEST_F(ChannelTest, AChildsFailureIsTheParentsError) {
  child_->send_error({EPERM, "mount proc on /proc"});
  EXPECT_THAT(parent_->receive(), FailsSaying("mount proc on /proc: Operation not permitted"));
}

TEST_F(ChannelTest, ALostChildIsEpipe) {
  child_->close();
  EXPECT_THAT(parent_->receive(), FailsWith(EPIPE));
}

TEST_F(ChannelTest, AnotherNoteThanExpectedIsAProtocolError) {
  ASSERT_THAT(child_->send(Tag::mounted), Succeeds());
  EXPECT_THAT(parent_->expect(Tag::ready), FailsWith(EPROTO));
}

TEST_F(ChannelTest, ProceedCarriesTheView) {
  const UniqueFd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const std::array fds{null.get(), null.get()};
  ASSERT_THAT(
      parent_->send(Tag::proceed,
                    proceed_text(ViewFilter::affinity, "{\"id\":1}", {"/proc/meminfo", "/proc/stat"}), fds),
      Succeeds());
  const auto proceed = await_proceed(*child_);
  ASSERT_THAT(proceed, Succeeds());
  EXPECT_EQ(proceed->filter, ViewFilter::affinity);
  EXPECT_EQ(proceed->state, "{\"id\":1}");
  EXPECT_EQ(proceed->targets, (std::vector<std::string>{"/proc/meminfo", "/proc/stat"}));
  EXPECT_EQ(proceed->mounts.size(), 2u);
  // A descriptor is missing.
  ASSERT_THAT(parent_->send(Tag::proceed, proceed_text(ViewFilter::none, "", {"/proc/meminfo"})), Succeeds());
  EXPECT_THAT(await_proceed(*child_), FailsWith(EPROTO));
}

TEST_F(ChannelTest, TheParentAnswersUntilTheChildIsReady) {
  std::string seen;
  const UniqueFd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  const std::array fds{null.get()};
  ASSERT_THAT(child_->send(Tag::listener, {}, fds), Succeeds());
  ASSERT_THAT(child_->send(Tag::mounted), Succeeds());
  ASSERT_THAT(child_->send(Tag::terminal, {}, fds), Succeeds());
  ASSERT_THAT(child_->send(Tag::ready), Succeeds());
  const Answers answers{.listener =
                            [&](int) {
                              seen += "L";
                              return Result<>{};
                            },
                        .agent =
                            [&](int) {
                              seen += "A";
                              return Result<>{};
                            },
                        .terminal =
                            [&](int) {
                              seen += "T";
                              return Result<>{};
                            },
                        .mounted =
                            [&] {
                              seen += "M";
                              return Result<>{};
                            }};
  EXPECT_THAT(converse(*parent_, answers), Succeeds());
  EXPECT_EQ(seen, "LMT");
  EXPECT_THAT(child_->expect(Tag::resume), Succeeds());
  EXPECT_THAT(child_->expect(Tag::resume), Succeeds());
  // A listener note without its listener.
  ASSERT_THAT(child_->send(Tag::listener), Succeeds());
  EXPECT_THAT(converse(*parent_, answers), FailsWith(EPROTO));
}

TEST(Gate, OpensOnceAndReportsTheExec) {
  const test::TempDir dir;
  auto gate = make_gate(dir.path());
  ASSERT_THAT(gate, Succeeds());
  std::thread init{[&] {
    const auto connection = wait_at_gate(gate->get());
    if (connection) report_failure(connection->get(), {kBadInput, "exec: \"x\": permission denied"});
    gate->reset();
  }};
  // One that goes away without a word opens nothing.
  EXPECT_THAT(knock(dir.path()), Succeeds());
  const auto connection = knock(dir.path());
  ASSERT_THAT(connection, Succeeds());
  EXPECT_THAT(open_gate(connection->get()), FailsSaying("exec: \"x\": permission denied"));
  init.join();
  EXPECT_THAT(knock(dir.path()), FailsWith(ECONNREFUSED));
}

}  // namespace
}  // namespace nacre::runtime::process
