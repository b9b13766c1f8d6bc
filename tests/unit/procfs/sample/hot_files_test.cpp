// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/hot_files.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "base/sys/file.h"
#include "procfs/sample/tasks.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Succeeds;
using test::Yields;

class HotFilesTest : public ::testing::Test {
 protected:
  std::string make(const std::string& name, std::string_view text) {
    EXPECT_THAT(sys::create_file(directory / name, text), Succeeds());
    return directory / name;
  }
  test::TempDir directory;
  HotFiles files{{}, 3};
};

TEST_F(HotFilesTest, ReadsTheTextAnew) {
  const auto path = make("a", "one");
  EXPECT_THAT(files.read(path), Yields("one"));
  make("a", "three");
  EXPECT_THAT(files.read(path), Yields("three"));
  EXPECT_EQ(files.open_count(), 1u);
  const std::string large(100'000, 'x');
  make("a", large);
  EXPECT_THAT(files.read(path), Yields(large));
}

TEST_F(HotFilesTest, KeepsTheMostRecentOnly) {
  for (const char* name : {"a", "b", "c", "d", "e"}) EXPECT_THAT(files.read(make(name, name)), Yields(name));
  EXPECT_EQ(files.open_count(), 3u);
  EXPECT_THAT(files.read(directory / "a"), Yields("a"));
}

TEST_F(HotFilesTest, UnusedDescriptorsAreClosed) {
  const auto a = make("a", "a");
  const auto b = make("b", "b");
  static_cast<void>(files.read(a));
  static_cast<void>(files.read(b));
  files.close_unused();
  EXPECT_EQ(files.open_count(), 2u);
  static_cast<void>(files.read(a));
  files.close_unused();
  EXPECT_EQ(files.open_count(), 1u);
  files.close_unused();
  EXPECT_EQ(files.open_count(), 0u);
}

TEST_F(HotFilesTest, ADirectoryThatGoesTakesItsDescriptors) {
  ASSERT_THAT(sys::make_directories(directory / "d"), Succeeds());
  ASSERT_THAT(sys::make_directories(directory / "dd"), Succeeds());
  static_cast<void>(files.read(make("d/a", "")));
  static_cast<void>(files.read(make("dd/a", "")));
  files.close_below(directory / "d");
  EXPECT_EQ(files.open_count(), 1u);
}

TEST_F(HotFilesTest, WhatIsBelowABaseIsFoundFromThereForAsLongAsAnythingIsRead) {
  ASSERT_THAT(sys::make_directories(directory / "base/box"), Succeeds());
  const auto a = make("base/box/a", "a"), b = make("base/box/b", "b"), beside = make("based", "beside");
  HotFiles based{{directory / "none", directory / "base"}};
  EXPECT_THAT(based.read_once(a), Yields("a"));
  EXPECT_EQ(based.open_count(), 1u);
  // Not by its name.
  std::filesystem::rename(directory / "base", directory / "moved");
  EXPECT_THAT(based.read(b), Yields("b"));
  EXPECT_THAT(files.read(b), FailsWith(ENOENT));
  EXPECT_THAT(based.read(beside), Yields("beside"));
  based.close_unused();
  based.close_unused();
  EXPECT_EQ(based.open_count(), 0u);
  EXPECT_THAT(based.read(a), FailsWith(ENOENT));
}

TEST_F(HotFilesTest, WhatIsReadOnceIsNotKept) {
  const auto path = make("a", "one");
  EXPECT_THAT(files.read_once(path), Yields("one"));
  EXPECT_EQ(files.open_count(), 0u);
  EXPECT_THAT(files.read_once(directory / "none"), FailsWith(ENOENT));
}

TEST_F(HotFilesTest, AMissingFileIsAnErrorNamingIt) {
  EXPECT_THAT(files.read(directory / "none"), FailsWith(ENOENT));
  EXPECT_THAT(files.read(directory / "none").error().context, ::testing::HasSubstr("none"));
}

TEST_F(HotFilesTest, ManyThreadsShareIt) {
  std::vector<std::string> paths;
  for (int i = 0; i < 8; ++i) paths.push_back(make(std::to_string(i), std::to_string(i)));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto which = static_cast<std::size_t>(i * (t + 1)) % paths.size();
        EXPECT_THAT(files.read(paths[which]), Yields(std::to_string(which)));
        if (i % 100 == 0) files.close_unused();
        if (i % 333 == 0) files.close_below(directory.path());
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_LE(files.open_count(), 3u);
}

TEST(InnermostPid, IsTheLastNumber) {
  EXPECT_EQ(parse_innermost_pid("Name:\tx\nNSpid:\t4711\t12\t1\nNSpgid:\t9\n"), 1);
  EXPECT_EQ(parse_innermost_pid("NSpid:\t4711\n"), 4711);
  EXPECT_EQ(parse_innermost_pid("NSpid:\n"), 0);
  EXPECT_EQ(parse_innermost_pid(""), 0);
}

}  // namespace
}  // namespace nacre::procfs
