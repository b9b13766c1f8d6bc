// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys/file.h"
#include "runtime/kernel/linux_kernel.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

// Resolution inside a root that does not mean well.
namespace nacre::runtime::kernel {
namespace {

using test::FailsSaying;
using test::FailsWith;
using test::Succeeds;
using Kind = Kernel::Kind;

class Place : public ::testing::Test {
 protected:
  Place() {
    ::mkdir((dir_ / "root").c_str(), 0755);
    ::mkdir((dir_ / "outside").c_str(), 0755);
    root_.reset(::open((dir_ / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  void link(const std::string& content, const std::string& name) {
    ASSERT_EQ(::symlink(content.c_str(), (dir_ / ("root/" + name)).c_str()), 0);
  }
  bool has(const std::string& name) const { return sys::exists(dir_ / ("root/" + name)); }
  bool outside_is_empty() const {
    const UniqueFd outside{::open((dir_ / "outside").c_str(), O_RDONLY | O_CLOEXEC)};
    return sys::list_directory(outside.get())->empty();
  }

  const test::TempDir dir_;
  UniqueFd root_;
  LinuxKernel kernel_;
};

TEST_F(Place, MakesWhatIsMissing) {
  ASSERT_THAT(kernel_.place(root_.get(), "/a/b/c", Kind::directory), Succeeds());
  EXPECT_TRUE(has("a/b/c"));
  const auto file = kernel_.place(root_.get(), "/a/b/d", Kind::file);
  ASSERT_THAT(file, Succeeds());
  EXPECT_EQ(*kernel_.kind_of(file->get()), Kind::file);
  EXPECT_THAT(kernel_.place(root_.get(), "/a/b/d/e", Kind::file), FailsWith(ENOTDIR));
}

TEST_F(Place, AnAbsoluteSymlinkIsTheContainersOwn) {
  link(dir_ / "outside", "escape");
  ASSERT_THAT(kernel_.place(root_.get(), "/escape/x", Kind::directory), Succeeds());
  EXPECT_TRUE(outside_is_empty());
  EXPECT_TRUE(has((dir_ / "outside").substr(1) + "/x"));
}

TEST_F(Place, DotsDoNotLeadOut) {
  link("../../../../outside", "up");
  ASSERT_THAT(kernel_.place(root_.get(), "/up/x", Kind::file), Succeeds());
  EXPECT_TRUE(outside_is_empty());
  EXPECT_TRUE(has("outside/x"));
  ASSERT_THAT(kernel_.place(root_.get(), "/../../y", Kind::file), Succeeds());
  EXPECT_TRUE(has("y"));
}

TEST_F(Place, TheTargetOfADanglingSymlinkIsMade) {
  ASSERT_THAT(kernel_.place(root_.get(), "/etc", Kind::directory), Succeeds());
  link("../run/stub/resolv.conf", "etc/resolv.conf");
  ASSERT_THAT(kernel_.place(root_.get(), "/etc/resolv.conf", Kind::file), Succeeds());
  EXPECT_TRUE(has("run/stub/resolv.conf"));
}

TEST_F(Place, LoopsEnd) {
  link("two", "one");
  link("one", "two");
  EXPECT_THAT(kernel_.place(root_.get(), "/one", Kind::file), FailsWith(ELOOP));
  EXPECT_THAT(kernel_.place(root_.get(), "/one/x", Kind::file), FailsWith(ELOOP));
}

TEST_F(Place, ARealDirectoryHasNoSymlinkInIt) {
  EXPECT_THAT(kernel_.real_directory(root_.get(), "/proc"), Succeeds());
  EXPECT_TRUE(has("proc"));
  link("proc", "sys");
  EXPECT_THAT(kernel_.real_directory(root_.get(), "/sys"), FailsSaying("not a symlink"));
  ASSERT_THAT(kernel_.place(root_.get(), "/file", Kind::file), Succeeds());
  EXPECT_THAT(kernel_.real_directory(root_.get(), "/file"), FailsSaying("must be a directory"));
}

TEST_F(Place, FindMakesNothing) {
  const auto found = kernel_.find(root_.get(), "/nothing");
  ASSERT_THAT(found, Succeeds());
  EXPECT_FALSE(*found);
  EXPECT_FALSE(has("nothing"));
}

TEST_F(Place, LinksReplaceDeviceNodesOnly) {
  ASSERT_THAT(kernel_.make_symlink(root_.get(), "/dev/fd", "/proc/self/fd"), Succeeds());
  ASSERT_THAT(kernel_.make_symlink(root_.get(), "/dev/fd", "/elsewhere"), Succeeds());
  EXPECT_EQ(*sys::read_link_at(root_.get(), "dev/fd"), "/proc/self/fd");
}

TEST_F(Place, CopyTreeKeepsModesAndLinks) {
  ASSERT_THAT(kernel_.place(root_.get(), "/from/deep", Kind::directory), Succeeds());
  ASSERT_THAT(sys::create_file(dir_ / "root/from/deep/file", "text"), Succeeds());
  ASSERT_EQ(::chmod((dir_ / "root/from/deep/file").c_str(), 0641), 0);
  ASSERT_EQ(::chmod((dir_ / "root/from").c_str(), 01777), 0);
  link("deep/file", "from/link");
  const auto from = kernel_.place(root_.get(), "/from", Kind::directory);
  const auto to = kernel_.place(root_.get(), "/to", Kind::directory);
  ASSERT_THAT(kernel_.copy_tree(from->get(), to->get()), Succeeds());
  EXPECT_EQ(*sys::read_file(dir_ / "root/to/link"), "text");
  EXPECT_EQ(sys::stat_at(root_.get(), "to/deep/file")->st_mode & 07777, 0641u);
  EXPECT_EQ(sys::stat_at(root_.get(), "to")->st_mode & 07777, 01777u);
}

TEST(HostDevice, MustBeTheDevice) {
  const test::TempDir dir;
  LinuxKernel kernel;
  EXPECT_THAT(kernel.host_device("/dev/null", S_IFCHR, 0x103), Succeeds());
  ASSERT_EQ(::symlink("/dev/null", (dir / "null").c_str()), 0);
  EXPECT_THAT(kernel.host_device(dir / "null", S_IFCHR, 0x103),
              FailsSaying("is not the device it should be"));
  EXPECT_THAT(kernel.host_device("/dev/zero", S_IFCHR, 0x103), FailsSaying("is not the device"));
}

}  // namespace
}  // namespace nacre::runtime::kernel
