// SPDX-License-Identifier: Apache-2.0
#include "procfs/sysinfo/memory_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/support/result_matchers.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;

// What a helper does with a question, here; with calls that wait in tests/integration/procfs_sysinfo_test.sh.
class MemoryWriterTest : public ::testing::Test {
 protected:
  Result<sys::Message> ask(std::string_view text, int listener) {
    const auto address = reinterpret_cast<std::uintptr_t>(target.data());
    const std::array<std::uint64_t, 2> place{address, 7};
    sys::Message question{std::string(sizeof(place), '\0') + std::string(text), {}};
    std::memcpy(question.text.data(), place.data(), sizeof(place));
    question.fds.emplace_back(::open("/proc/self/mem", O_WRONLY | O_CLOEXEC));
    if (listener >= 0) question.fds.emplace_back(listener);
    return MemoryWriter::kKind.answer(question, -1);
  }
  std::string target = "untouched";
};

TEST_F(MemoryWriterTest, WritesNothingForACallThatDoesNotWait) {
  EXPECT_FALSE(ask("overwritten", ::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  EXPECT_EQ(target, "untouched");
}

TEST_F(MemoryWriterTest, RefusesAQuestionThatIsNone) {
  EXPECT_THAT(ask("overwritten", -1), FailsWith(EPROTO));
  EXPECT_THAT(MemoryWriter::kKind.answer({}, -1), FailsWith(EPROTO));
  EXPECT_EQ(target, "untouched");
}

}  // namespace
}  // namespace nacre::procfs
