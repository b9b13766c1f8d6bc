// SPDX-License-Identifier: Apache-2.0
#include "runtime/state/store.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/sys/file.h"
#include "base/sys/process.h"
#include "runtime/state/json.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::runtime {
namespace {

using test::FailsSaying;
using test::Succeeds;
using test::Yields;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

State example(const std::string& id) {
  State state;
  state.id = id;
  state.oci_version = "1.2.0";
  state.bundle = "/b";
  state.rootfs = "/b/rootfs";
  state.cgroup_path = "/nacre/" + id;
  state.owner = "root";
  state.pid = 4242;
  state.start_ticks = 18446744073709551615u;
  state.created = "2026-01-02T15:04:05.123456789Z";
  state.annotations = {{"a", "1"}, {"org.nacre.view", "off"}};
  state.started = state.registered_view = true;
  return state;
}

class StoreTest : public ::testing::Test {
 protected:
  test::TempDir scratch_;
  Store store_{scratch_ / "run/nacre"};
};

TEST_F(StoreTest, RemembersEverything) {
  ASSERT_THAT(store_.create("box"), Succeeds());
  ASSERT_THAT(store_.save(example("box")), Succeeds());
  const auto loaded = store_.load("box");
  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(format_state(*loaded), format_state(example("box")));
  EXPECT_EQ(loaded->start_ticks, 18446744073709551615u);
  EXPECT_EQ(loaded->annotations.at("org.nacre.view"), "off");
  EXPECT_TRUE(loaded->started && loaded->registered_view);
}

TEST_F(StoreTest, AnIdIsTakenOnce) {
  std::atomic<int> winners = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] { winners += store_.create("box").has_value() ? 1 : 0; });
  }
  EXPECT_EQ(winners, 1);
  EXPECT_THAT(store_.create("box"), FailsSaying("container with given ID already exists"));
  EXPECT_TRUE(store_.exists("box"));
}

TEST_F(StoreTest, WhatDoesNotExistIsSaidInTheWordsEnginesLookFor) {
  EXPECT_THAT(store_.load("box"), FailsSaying("container \"box\" does not exist"));
  EXPECT_THAT(store_.lock("box"), FailsSaying("container \"box\" does not exist"));
  EXPECT_EQ(store_.load("box").error().message().find("No such file"), std::string::npos)
      << "podman would take it for a missing command";
  EXPECT_THAT(store_.remove("box"), Succeeds());
  EXPECT_THAT(store_.list(), Yields(IsEmpty()));
  EXPECT_FALSE(store_.exists("box"));
  EXPECT_FALSE(store_.exists("../run"));
}

TEST_F(StoreTest, IdsStayInsideTheDirectory) {
  for (const auto* id : {"a", "A-1", "_x", "+y", "-z", "a.b", "0123456789abcdef"})
    EXPECT_THAT(Store::check_id(id), Succeeds()) << id;
  for (const auto* id : {"", ".", "..", ".a", "a/b", "a b", "a\n", "ä", "a*"})
    EXPECT_THAT(Store::check_id(id), FailsSaying("invalid container id")) << id;
  EXPECT_THAT(Store::check_id(std::string(256, 'a')), FailsSaying("invalid container id"));
  EXPECT_THAT(store_.create("../../etc"), FailsSaying("invalid"));
  EXPECT_THAT(store_.remove(".."), FailsSaying("invalid"));
}

TEST_F(StoreTest, ACreationCutShortCanBeSeenAndRemoved) {
  ASSERT_THAT(store_.create("box"), Succeeds());
  const auto state = store_.load("box");
  ASSERT_THAT(state, Succeeds());
  EXPECT_EQ(state->pid, 0);
  EXPECT_EQ(status(*state), "creating");
  EXPECT_THAT(store_.list(), Yields(ElementsAre("box")));
  EXPECT_THAT(store_.remove("box"), Succeeds());
  EXPECT_THAT(store_.list(), Yields(IsEmpty()));
}

TEST_F(StoreTest, ADamagedStateFileIsNamed) {
  const auto directory = store_.create("box");
  ASSERT_THAT(directory, Succeeds());
  for (const auto* text : {"", "{", "[]", "{\"pid\":\"x\"}", "{\"id\":7}", "{\"annotations\":{\"a\":1}}"}) {
    ASSERT_THAT(sys::create_file(*directory + "/state.json", text), Succeeds());
    EXPECT_THAT(store_.load("box"), FailsSaying("state.json")) << text;
  }
  ASSERT_THAT(sys::create_file(*directory + "/state.json", format_state(example("other"))), Succeeds());
  EXPECT_THAT(store_.load("box"), FailsSaying("is of container \"other\""));
}

TEST_F(StoreTest, AReaderNeverSeesHalfAState) {
  ASSERT_THAT(store_.create("box"), Succeeds());
  ASSERT_THAT(store_.save(example("box")), Succeeds());
  std::atomic<bool> done = false;
  std::jthread writer([&] {
    auto state = example("box");
    for (int i = 0; i < 500; ++i) {
      state.annotations["long"] = std::string(static_cast<std::size_t>(i % 7) * 1000, 'x');
      static_cast<void>(store_.save(state));
    }
    done = true;
  });
  while (!done) ASSERT_THAT(store_.load("box"), Succeeds());
}

TEST_F(StoreTest, ALockIsHeldByOne) {
  ASSERT_THAT(store_.create("box"), Succeeds());
  auto first = store_.lock("box");
  ASSERT_THAT(first, Succeeds());
  std::atomic<bool> entered = false;
  std::jthread second([&] {
    const auto lock = store_.lock("box");
    entered = true;
    EXPECT_THAT(lock, FailsSaying("does not exist")) << "it was removed while we waited";
  });
  ::usleep(20000);
  EXPECT_FALSE(entered);
  EXPECT_THAT(store_.remove("box"), Succeeds());
  ASSERT_THAT(store_.create("box"), Succeeds()) << "the id can be used again at once";
  first->reset();
}

TEST(StatusTest, FollowsTheProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  State state = example("box");
  state.cgroup_path.clear();
  state.pid = child;
  state.start_ticks = sys::process_stat(child)->start_ticks;
  state.started = false;
  EXPECT_EQ(status(state), "created");
  state.started = true;
  EXPECT_EQ(status(state), "running");
  EXPECT_TRUE(init_lives(state));

  State reused = state;
  reused.start_ticks -= 1;
  EXPECT_EQ(status(reused), "stopped") << "another process with the same number";

  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(status(state), "stopped") << "a zombie has ended";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(status(state), "stopped");
  EXPECT_FALSE(init_lives(state));
}

TEST(OciStateTest, HasTheKeysOfTheSpecification) {
  const auto running = nlohmann::json::parse(to_oci_json(example("box"), "running"));
  EXPECT_EQ(running["ociVersion"], "1.2.0");
  EXPECT_EQ(running["id"], "box");
  EXPECT_EQ(running["pid"], 4242);
  EXPECT_EQ(running["status"], "running");
  EXPECT_EQ(running["bundle"], "/b");
  EXPECT_EQ(running["rootfs"], "/b/rootfs");
  EXPECT_EQ(running["annotations"]["a"], "1");
  EXPECT_EQ(running["owner"], "root");
  EXPECT_EQ(nlohmann::json::parse(to_oci_json(example("box"), "stopped"))["pid"], 0);
  State odd = example("box");
  odd.annotations["bytes"] = "\xff\xfe";
  EXPECT_NE(to_oci_json(odd, "running"), "") << "text that is not UTF-8 is no reason to fail";
}

TEST(Rfc3339Test, HasNanosecondsAndUtc) {
  EXPECT_THAT(rfc3339_now(),
              MatchesRegex("20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z"));
}

}  // namespace
}  // namespace nacre::runtime
