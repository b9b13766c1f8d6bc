// SPDX-License-Identifier: Apache-2.0
#include "tools/nacre/container/record.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/sys/file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::tool {
namespace {

using test::FailsSaying;
using test::Succeeds;

class RecordTest : public ::testing::Test {
 protected:
  RecordTest() { ::setenv("NACRE_DATA_DIR", folder_.path().c_str(), 1); }
  ~RecordTest() override { ::unsetenv("NACRE_DATA_DIR"); }

  static Record named(std::string name) {
    Record record;
    record.name = std::move(name);
    record.command = {"sh", "-c", "echo \xff"};
    record.remove = true;
    return record;
  }

  test::TempDir folder_;
};

TEST_F(RecordTest, IsFoundByIdNameAndBeginning) {
  const auto made = claim(named("web"));
  ASSERT_THAT(made, Succeeds());
  const auto& id = made->record.id;
  for (const auto& word : {id, std::string("web"), id.substr(0, 5)}) {
    const auto found = find_record(word);
    ASSERT_THAT(found, Succeeds()) << word;
    EXPECT_EQ(found->id, id);
    EXPECT_TRUE(found->remove);
    EXPECT_EQ(found->command.size(), 3u);
  }
  EXPECT_THAT(find_record("other"), FailsSaying("no such container"));
  EXPECT_THAT(find_record(""), FailsSaying("no such container"));
}

TEST_F(RecordTest, ANameIsTakenOnce) {
  const auto first = claim(named("web"));
  ASSERT_THAT(first, Succeeds());
  EXPECT_THAT(claim(named("web")), FailsSaying("has this name"));
  EXPECT_THAT(claim(named("web2")), Succeeds());
}

TEST_F(RecordTest, TheLockTellsWhetherASupervisorLives) {
  auto made = claim(named("web"));
  ASSERT_THAT(made, Succeeds());
  const auto record = made->record;
  auto lock = try_lock(record);
  ASSERT_THAT(lock, Succeeds());
  EXPECT_FALSE(lock->has_value());
  EXPECT_FALSE(wait_unsupervised(record, 0));
  made->lock.reset();
  EXPECT_TRUE(wait_unsupervised(record, 0));
}

TEST_F(RecordTest, AFolderWithoutARecordCanStillBeNamed) {
  ASSERT_THAT(sys::make_directories(folder_ / "containers/0123456789ab"), Succeeds());
  const auto found = find_record("0123456789ab");
  ASSERT_THAT(found, Succeeds());
  EXPECT_TRUE(found->remove);
}

TEST_F(RecordTest, ABrokenRecordIsNoReasonToFail) {
  const auto made = claim(named("web"));
  ASSERT_THAT(made, Succeeds());
  for (const char* text : {"", "{", "[]", "{\"name\": 7}", "{\"command\": \"x\"}"}) {
    ASSERT_THAT(sys::create_file(made->record.directory() + "/record.json", text), Succeeds());
    EXPECT_THAT(find_record(made->record.id), Succeeds()) << text;
  }
}

TEST_F(RecordTest, TheExitCodeOutlivesTheSupervisor) {
  const auto made = claim(named("web"));
  ASSERT_THAT(made, Succeeds());
  EXPECT_EQ(exit_code(made->record), std::nullopt);
  ASSERT_THAT(save_exit_code(made->record, 137), Succeeds());
  EXPECT_EQ(exit_code(made->record), 137);
}

}  // namespace
}  // namespace nacre::tool
