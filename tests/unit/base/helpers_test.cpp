// SPDX-License-Identifier: Apache-2.0
#include "base/sys/helpers.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <optional>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount_cloner.h"
#include "base/sys/process.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::sys {
namespace {

using namespace std::chrono_literals;
using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;

// Says what it was asked and its number, or complains, ends, or waits until nobody wants an answer.
Result<Message> parrot(const Message& question, int kept) {
  if (question.text == "complain") return fail(ENOTDIR, "a parrot");
  if (question.text == "end") ::_exit(0);
  if (question.text == "wait") {
    pollfd socket{0, 0, 0};
    ::poll(&socket, 1, -1);
  }
  Message answer{question.text + " " + std::to_string(::getpid()), {}};
  if (kept >= 0) answer.fds.emplace_back(::dup(kept));
  return answer;
}
const HelperKind kParrot{
    .name = "test-parrot", .capabilities = {}, .calls = {}, .keeps = true, .answer = parrot};
const HelperKind kForgetful{
    .name = "test-forgetful", .capabilities = {}, .calls = {}, .keeps = false, .answer = parrot};
const HelperKind kUnknown{
    .name = "test-unknown", .capabilities = {}, .calls = {}, .keeps = true, .answer = parrot};

class HelpersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Helpers::start({&kParrot, &kForgetful, &MountCloner::kKind}, root.get(),
                                  [this](const Error& error) { lost = error; });
    ASSERT_THAT(started, Succeeds());
    helpers.emplace(std::move(*started));
    helper.emplace(*helpers, kParrot);
  }
  Result<Message> ask(std::string_view text, const Helpers::Limit& limit = {}) {
    return helper->ask(text, {}, limit);
  }
  // The number of the process that answers.
  pid_t answering() {
    const auto answer = ask("hello");
    return answer ? parse_int<pid_t>(answer->text.substr(6)).value_or(0) : -1;
  }

  static pid_t starter_of(pid_t process) {
    const auto stat = process_stat(process);
    return stat ? stat->parent : 0;
  }
  static bool ends(const Result<UniqueFd>& process) {
    pollfd end{process ? process->get() : -1, POLLIN, 0};
    return ::poll(&end, 1, 10'000) == 1;
  }
  static std::string second_file(pid_t process) {
    return read_link_at(AT_FDCWD, ("/proc/" + std::to_string(process) + "/fd/1").c_str()).value_or("");
  }
  static std::size_t open_files(pid_t process) {
    const auto path = "/proc/" + std::to_string(process) + "/fd";
    const auto open = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
    const auto names = open ? list_directory(open->get()) : std::unexpected(open.error());
    return names ? names->size() : 0;
  }

  test::TempDir directory;
  UniqueFd root{::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::optional<Helpers> helpers;
  std::optional<Helper> helper;
  std::optional<Error> lost;
};

TEST_F(HelpersTest, OneAnswersAllQuestions) {
  const auto answer = ask("hello");
  ASSERT_THAT(answer, Succeeds());
  EXPECT_THAT(answer->text, ::testing::StartsWith("hello "));
  EXPECT_THAT(answer->fds, ::testing::SizeIs(1));
  const auto process = answering();
  EXPECT_GT(process, 0);
  EXPECT_NE(process, ::getpid());
  EXPECT_EQ(process, answering());
}

TEST_F(HelpersTest, AnErrorIsAnAnswer) {
  const auto process = answering();
  EXPECT_THAT(ask("complain"), FailsWith(ENOTDIR));
  EXPECT_THAT(ask("complain"), FailsSaying("a parrot"));
  EXPECT_EQ(process, answering());
}

TEST_F(HelpersTest, OneThatHasEndedIsReplaced) {
  const auto process = answering();
  ASSERT_GT(process, 0);
  ASSERT_EQ(::kill(process, SIGKILL), 0);
  EXPECT_GT(answering(), 0);
  EXPECT_NE(answering(), process);
}

TEST_F(HelpersTest, OneThatHasEndedLeavesNoDescriptor) {
  ASSERT_GT(answering(), 0);
  const auto before = open_files(::getpid());
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(::kill(answering(), SIGKILL), 0);
    EXPECT_GT(answering(), 0);
  }
  EXPECT_EQ(open_files(::getpid()), before);
}

TEST_F(HelpersTest, OneThatAlwaysEndsIsAnError) {
  EXPECT_THAT(ask("end"), FailsWith(ECONNRESET));
  EXPECT_GT(answering(), 0);
  EXPECT_THAT(ask("end"), FailsWith(ECONNRESET));
}

TEST_F(HelpersTest, OneThatDoesNotAnswerIsLeftToItself) {
  const auto process = answering();
  EXPECT_THAT(ask("wait", {.patience = 10ms}), FailsWith(ETIMEDOUT));
  EXPECT_NE(answering(), process);
  const UniqueFd interrupt{::eventfd(1, EFD_CLOEXEC)};
  EXPECT_THAT(ask("wait", {.interrupt = interrupt.get()}), FailsWith(ECANCELED));
  EXPECT_GT(answering(), 0);
  EXPECT_THAT(ask("wait", {.wanted = [] { return false; }}), FailsWith(ECANCELED));
  EXPECT_GT(answering(), 0);
}

// Those that hang are of a kind that a container can bring about.
TEST_F(HelpersTest, NotAnyNumberIsLeftToItself) {
  EXPECT_TRUE(helpers->may_leave_another());
  std::vector<UniqueFd> others;
  for (int i = 0; i < 16; ++i) {
    auto [ours, theirs] = *seqpacket_pair();
    helpers->leave(std::move(ours));
    others.push_back(std::move(theirs));
  }
  EXPECT_FALSE(helpers->may_leave_another());
  EXPECT_THAT(ask("wait", {.patience = 1500ms, .wanted = [] { return false; }}), FailsWith(ETIMEDOUT));
  others.clear();
  EXPECT_TRUE(helpers->may_leave_another());
}

TEST_F(HelpersTest, HasTheSocketAndWhatItKeepsAlone) {
  const auto keeping = answering();
  ASSERT_THAT(ask("complain"), FailsWith(ENOTDIR));  // with nothing of the answer before
  EXPECT_EQ(open_files(keeping), 3u);                // and one for messages, which go nowhere
  EXPECT_EQ(second_file(keeping), directory.path());
  helper.emplace(*helpers, kForgetful);
  EXPECT_NE(second_file(answering()), directory.path());
}

TEST_F(HelpersTest, TheLossOfWhoStartsThemIsTold) {
  const auto process = answering();
  const auto one = pidfd_open(process);
  const auto starter = starter_of(process);
  ASSERT_GT(starter, 1);
  ASSERT_EQ(::kill(starter, SIGKILL), 0);
  EXPECT_TRUE(ends(one)) << "a helper outlives who has started it";
  EXPECT_FALSE(lost);
  EXPECT_THAT(ask("hello"), FailsWith(ECONNRESET));
  EXPECT_TRUE(lost);
}

TEST_F(HelpersTest, AKindThatIsNotKnownIsNamed) {
  Helper other(*helpers, kUnknown);
  EXPECT_THAT(other.ask("hello", {}, {}), FailsSaying("test-unknown"));
}

TEST_F(HelpersTest, EndWithTheirOwner) {
  const auto process = answering();
  const auto one = pidfd_open(process), starter = pidfd_open(starter_of(process));
  helper.reset();
  EXPECT_TRUE(ends(one));
  helpers.reset();
  EXPECT_TRUE(ends(starter));
}

// The rest takes the right to mount: tests/integration.
TEST_F(HelpersTest, MountsOfWhatIsNotThereAreNotCloned) {
  MountCloner cloner(*helpers);
  EXPECT_THAT(cloner.clone("containers/box", {{"meminfo"}}), FailsWith(ENOENT));
  EXPECT_THAT(cloner.clone("containers/box", {{"meminfo"}}), FailsSaying("containers/box"));
  // Nor of what does not lie there.
  EXPECT_THAT(cloner.clone("..", {{"meminfo"}}), FailsWith(EXDEV));
  EXPECT_THAT(cloner.clone(".", {{"../meminfo"}}), FailsWith(EINVAL));
}

}  // namespace
}  // namespace nacre::sys
