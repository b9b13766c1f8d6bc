// SPDX-License-Identifier: Apache-2.0
// nacre-fs as the kernel sees it: FUSE messages over a socket pair, no mount.
#include <fcntl.h>
#include <sys/socket.h>

#include <cstdint>
#include <thread>

#include "base/fuse/session.h"
#include "base/sys/socket.h"
#include "fs/fuse/operations.h"
#include "tests/support/fuse_wire.h"
#include "tests/unit/fs/overlay_fixture.h"

namespace nacre::fs {
namespace {

using test::wire_bytes;
using test::WireReply;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::string zero_ended(std::string_view text) { return std::string(text) + '\0'; }

class FsWireTest : public OverlayTest {
 protected:
  // Call after the scene is set. `flags`: what the kernel can.
  void connect(std::uint64_t flags = ~std::uint64_t{0}) {
    start();
    service_ = std::make_unique<FuseService>(FuseService{.fs = *fs_, .notes = notes_, .on_ready = {}});
    auto session = fuse::Session::create("fs_wire", operations(), service_.get(), {});
    ASSERT_THAT(session, test::Succeeds());
    session_ = std::make_unique<fuse::Session>(std::move(*session));
    notes_.attach(session_->get());
    auto ends = *sys::seqpacket_pair();
    const int big = 4 << 20;
    for (const int end : {ends.first.get(), ends.second.get()})
      ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
    ASSERT_THAT(session_->attach_socket(ends.second.release()), test::Succeeds());
    kernel_ = std::make_unique<test::FuseWire>(std::move(ends.first));
    kernel_->uid = me_.uid;
    kernel_->gid = me_.gid;
    server_ = std::thread([this] { static_cast<void>(session_->serve({.threads = 2})); });
    init_ = kernel_->init(flags);
  }
  ~FsWireTest() override {
    if (!server_.joinable()) return;
    kernel_->close();
    session_->stop();
    server_.join();
  }

  WireReply look(std::string_view name, std::uint64_t parent = 1) {
    return kernel_->call(FUSE_LOOKUP, parent, zero_ended(name));
  }
  std::uint64_t node(std::string_view name, std::uint64_t parent = 1) {
    return look(name, parent).as<fuse_entry_out>().nodeid;
  }
  std::uint64_t open(std::uint64_t node, std::uint32_t flags) {
    fuse_open_in body{};
    body.flags = flags;
    return kernel_->call(FUSE_OPEN, node, wire_bytes(body)).as<fuse_open_out>().fh;
  }
  std::string read(std::uint64_t node, std::uint64_t handle) {
    fuse_read_in body{};
    body.fh = handle;
    body.size = 4096;
    return kernel_->call(FUSE_READ, node, wire_bytes(body)).body;
  }
  std::uint32_t write(std::uint64_t node, std::uint64_t handle, std::string_view data) {
    fuse_write_in body{};
    body.fh = handle;
    body.size = static_cast<std::uint32_t>(data.size());
    return kernel_->call(FUSE_WRITE, node, wire_bytes(body) + std::string(data)).as<fuse_write_out>().size;
  }

  KernelNotes notes_;
  std::unique_ptr<FuseService> service_;
  std::unique_ptr<fuse::Session> session_;
  std::unique_ptr<test::FuseWire> kernel_;
  std::thread server_;
  fuse_init_out init_{};
};

TEST_F(FsWireTest, AsksForWhatItNeedsAndNothingElse) {
  connect();
  EXPECT_EQ(init_.major, 7u);
  const auto flags = init_.flags;
  for (const auto wanted :
       {FUSE_ATOMIC_O_TRUNC, FUSE_DO_READDIRPLUS, FUSE_READDIRPLUS_AUTO, FUSE_PARALLEL_DIROPS, FUSE_POSIX_ACL,
        FUSE_CACHE_SYMLINKS, FUSE_DONT_MASK, FUSE_HANDLE_KILLPRIV_V2})
    EXPECT_TRUE((flags & static_cast<std::uint32_t>(wanted)) != 0) << wanted;
  for (const auto unwanted : {FUSE_WRITEBACK_CACHE, FUSE_AUTO_INVAL_DATA, FUSE_POSIX_LOCKS, FUSE_FLOCK_LOCKS})
    EXPECT_FALSE((flags & static_cast<std::uint32_t>(unwanted)) != 0) << unwanted;
}

TEST_F(FsWireTest, LookupsMayBeRememberedForEver) {
  lower({{"file", "data"}});
  connect();
  const auto found = look("file");
  EXPECT_EQ(found.error, 0);
  const auto entry = found.as<fuse_entry_out>();
  EXPECT_EQ(entry.attr.size, 4u);
  EXPECT_GE(entry.entry_valid, 1'000'000u);
  EXPECT_GE(entry.attr_valid, 1'000'000u);
  // That there is nothing may be remembered, too.
  const auto nothing = look("nothing");
  EXPECT_EQ(nothing.error, 0);
  EXPECT_EQ(nothing.as<fuse_entry_out>().nodeid, 0u);
  EXPECT_GE(nothing.as<fuse_entry_out>().entry_valid, 1'000'000u);
}

TEST_F(FsWireTest, ALowerFileWithSeveralNamesIsOneInode) {
  lower({{"one", "data"}});
  ASSERT_EQ(::link((lower().root() + "/one").c_str(), (lower().root() + "/two").c_str()), 0);
  connect();
  EXPECT_EQ(node("one"), node("two"));
  EXPECT_GE(look("one").as<fuse_entry_out>().attr_valid, 1'000'000u);
}

TEST_F(FsWireTest, AHandleFollowsCopyUp) {
  lower({{"file", "old data"}});
  connect();
  const auto file = node("file");
  const auto reader = open(file, O_RDONLY);
  EXPECT_EQ(read(file, reader), "old data");
  const auto writer = open(file, O_RDWR);
  EXPECT_EQ(write(file, writer, "NEW"), 3u);
  EXPECT_EQ(read(file, reader), "NEW data");
}

TEST_F(FsWireTest, CreateIsOneRequest) {
  connect();
  fuse_create_in body{};
  body.flags = O_RDWR;
  body.mode = S_IFREG | 0666;
  body.umask = 022;
  const auto created = kernel_->call(FUSE_CREATE, 1, wire_bytes(body) + zero_ended("new"));
  ASSERT_EQ(created.error, 0);
  const auto entry = created.as<fuse_entry_out>();
  EXPECT_EQ(entry.attr.mode, S_IFREG | 0644u);
  fuse_open_out opened{};
  std::memcpy(&opened, created.body.data() + sizeof(entry), sizeof(opened));
  EXPECT_EQ(write(entry.nodeid, opened.fh, "data"), 4u);
  EXPECT_THAT(sys::read_file(upper().root() + "/new"), test::Yields("data"));
}

TEST_F(FsWireTest, NobodyIsAskedTwiceForWhatThereIsNot) {
  lower({{"file", "data"}});
  connect();
  const auto file = node("file");
  const auto handle = open(file, O_RDONLY);
  fuse_flush_in flush{};
  flush.fh = handle;
  EXPECT_EQ(kernel_->call(FUSE_FLUSH, file, wire_bytes(flush)).error, ENOSYS);
  fuse_access_in access{};
  EXPECT_EQ(kernel_->call(FUSE_ACCESS, file, wire_bytes(access)).error, ENOSYS);
  // The fixture's tree never waits for the disk.
  fuse_fsync_in sync{};
  sync.fh = handle;
  EXPECT_EQ(kernel_->call(FUSE_FSYNC, file, wire_bytes(sync)).error, ENOSYS);
}

TEST_F(FsWireTest, ReaddirplusCountsAReferenceForEachName) {
  lower({{"a", "1"}, {"b", "22"}});
  connect();
  const auto before = fs_->statistics().inodes;
  fuse_read_in body{};
  body.size = 4096;
  const auto page = kernel_->call(FUSE_READDIRPLUS, 1, wire_bytes(body)).body;
  std::vector<std::string> names;
  for (std::size_t at = 0; at + FUSE_NAME_OFFSET_DIRENTPLUS <= page.size();) {
    fuse_direntplus entry{};
    std::memcpy(&entry, page.data() + at, FUSE_NAME_OFFSET_DIRENTPLUS);
    names.emplace_back(page.data() + at + FUSE_NAME_OFFSET_DIRENTPLUS, entry.dirent.namelen);
    const bool dot = names.back() == "." || names.back() == "..";
    EXPECT_EQ(entry.entry_out.nodeid == 0, dot) << names.back();
    if (!dot) {
      EXPECT_EQ(entry.entry_out.attr.ino, entry.dirent.ino);
    }
    if (entry.entry_out.nodeid != 0) kernel_->forget(entry.entry_out.nodeid, 1);
    at += (FUSE_NAME_OFFSET_DIRENTPLUS + entry.dirent.namelen + 7) / 8 * 8;
  }
  EXPECT_THAT(names, UnorderedElementsAre(".", "..", "a", "b"));
  // Another request, answered after the forgets were taken in by either thread.
  for (int i = 0; i < 1000 && fs_->statistics().inodes != before; ++i) look("nothing");
  EXPECT_EQ(fs_->statistics().inodes, before);
}

TEST_F(FsWireTest, TheKernelOpensDirectoriesItselfIfItCan) {
  connect();
  EXPECT_EQ(kernel_->call(FUSE_OPENDIR, 1, wire_bytes(fuse_open_in{})).error, ENOSYS);
}

TEST_F(FsWireTest, AnOlderKernelKeepsListingsToo) {
  connect(~std::uint64_t{FUSE_NO_OPENDIR_SUPPORT});
  const auto opened = kernel_->call(FUSE_OPENDIR, 1, wire_bytes(fuse_open_in{}));
  EXPECT_EQ(opened.error, 0);
  EXPECT_EQ(opened.as<fuse_open_out>().open_flags, unsigned{FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE});
  EXPECT_EQ(kernel_->call(FUSE_RELEASEDIR, 1, wire_bytes(fuse_release_in{})).error, 0);
}

TEST_F(FsWireTest, NonsenseGetsAnErrnoAndHarmsNothing) {
  lower({{"file", "data"}});
  connect();
  EXPECT_EQ(look("x", 12345).error, ESTALE);
  fuse_getattr_in attr{};
  EXPECT_EQ(kernel_->call(FUSE_GETATTR, ~0ull, wire_bytes(attr)).error, ESTALE);
  fuse_read_in body{};
  body.fh = 99;
  body.size = 10;
  EXPECT_EQ(kernel_->call(FUSE_READ, 1, wire_bytes(body)).error, EBADF);
  EXPECT_EQ(kernel_->call(FUSE_UNLINK, 1, zero_ended("never looked up")).error, ENOENT);
  EXPECT_EQ(kernel_->call(4000, 1, "").error, ENOSYS);
  EXPECT_EQ(look("file").error, 0);
}

TEST_F(FsWireTest, AFullDiskIsSaidAndTheNextTryWorks) {
  lower({{"file", "data"}});
  connect();
  const auto file = node("file");
  upper_layer().fail_call(2, ENOSPC);
  fuse_open_in body{};
  body.flags = O_RDWR;
  EXPECT_EQ(kernel_->call(FUSE_OPEN, file, wire_bytes(body)).error, ENOSPC);
  EXPECT_EQ(write(file, open(file, O_RDWR), "D"), 1u);
}

}  // namespace
}  // namespace nacre::fs
