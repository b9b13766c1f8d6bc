// SPDX-License-Identifier: Apache-2.0
// Many threads on one tree: no lost update, no deadlock, no descriptor left. What it finds
// best, it finds under the thread sanitizer.
#include <atomic>
#include <thread>

#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::Succeeds;
using test::Yields;

class ConcurrencyTest : public OverlayTest {
 protected:
  static void in_threads(unsigned count, const std::function<void(unsigned)>& work) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < count; ++i) threads.emplace_back(work, i);
    for (auto& thread : threads) thread.join();
  }
};

TEST_F(ConcurrencyTest, AFileIsCopiedUpOnce) {
  lower({{"d/e/file", std::string(100000, 'x')}});
  start();
  const auto id = *inode("d/e/file");
  in_threads(6, [&](unsigned i) {
    const auto opened = fs_->open(me_, id, O_RDWR);
    ASSERT_THAT(opened, Succeeds());
    const char mark = static_cast<char>('0' + i);
    ASSERT_THAT(fs_->write(me_, opened->handle, std::string_view(&mark, 1), i), Succeeds());
    fs_->release(opened->handle);
  });
  EXPECT_EQ(read("d/e/file")->substr(0, 7), "012345x");
  EXPECT_EQ(fs_->statistics().handles, 0u);
}

TEST_F(ConcurrencyTest, ReadersSeeTheOldOrTheNewData) {
  const std::string old_data(4096, 'o'), new_data(4096, 'n');
  lower({{"file", old_data}});
  start();
  const auto id = *inode("file");
  std::atomic<bool> done{false};
  in_threads(4, [&](unsigned i) {
    if (i == 0) {
      ASSERT_THAT(write("file", new_data), Succeeds());
      done = true;
      return;
    }
    for (int rounds = 0; rounds < 50 || !done; ++rounds) {
      const auto opened = fs_->open(me_, id, O_RDONLY);
      ASSERT_THAT(opened, Succeeds());
      const auto data = read(opened->handle);
      ASSERT_THAT(data, Succeeds());
      // A read beside a write may get some of each: ext4 itself promises no more.
      ASSERT_EQ(data->size(), old_data.size());
      ASSERT_EQ(data->find_first_not_of("on"), std::string::npos);
      fs_->release(opened->handle);
    }
  });
}

TEST_F(ConcurrencyTest, AnInodeIsFoundWhileItMoves) {
  start();
  ASSERT_THAT(mkdir("one"), Succeeds());
  ASSERT_THAT(mkdir("two"), Succeeds());
  ASSERT_THAT(create("one/file", "data"), Succeeds());
  const auto one = *inode("one"), two = *inode("two"), file = *inode("one/file");
  std::atomic<bool> done{false};
  in_threads(4, [&](unsigned i) {
    if (i == 0) {
      for (int round = 0; round < 200; ++round) {
        ASSERT_THAT(fs_->rename(one, "file", two, "file", 0), Succeeds());
        ASSERT_THAT(fs_->rename(two, "file", one, "file", 0), Succeeds());
      }
      done = true;
      return;
    }
    while (!done) {
      ASSERT_THAT(fs_->getattr(file), Succeeds());
      const auto opened = fs_->open(me_, file, O_RDONLY);
      ASSERT_THAT(opened, Succeeds());
      ASSERT_THAT(read(opened->handle), Yields("data"));
      fs_->release(opened->handle);
    }
  });
}

TEST_F(ConcurrencyTest, EachThreadWithFilesOfItsOwn) {
  lower({{"d/0", "0"}, {"d/1", "1"}, {"d/2", "2"}, {"d/3", "3"}});
  start();
  const auto dir = *inode("d");
  in_threads(4, [&](unsigned i) {
    const std::string name = std::to_string(i), other = "new" + name;
    for (int round = 0; round < 30; ++round) {
      const auto found = fs_->lookup(dir, name.c_str());
      ASSERT_THAT(found, Succeeds());
      ASSERT_THAT(fs_->rename(dir, name.c_str(), dir, other.c_str(), 0), Succeeds());
      ASSERT_THAT(fs_->rename(dir, other.c_str(), dir, name.c_str(), 0), Succeeds());
      ASSERT_THAT(fs_->unlink(dir, name.c_str()), Succeeds());
      const auto made = fs_->create(me_, dir, name.c_str(), 0644);
      ASSERT_THAT(made, Succeeds());
      fs_->release(made->opened.handle);
      fs_->forget(found->inode, 1);
      fs_->forget(made->entry.inode, 1);
      ASSERT_THAT(list("d"), Succeeds());
    }
  });
  EXPECT_EQ(list("d")->size(), 4u);
}

}  // namespace
}  // namespace nacre::fs
