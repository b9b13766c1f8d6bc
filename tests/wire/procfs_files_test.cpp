// SPDX-License-Identifier: Apache-2.0
// nacre-procfs as the kernel sees it: FUSE messages over a socket pair, no mount.
#include <gmock/gmock.h>
#include <linux/fuse.h>

#include <cstdint>
#include <cstring>
#include <thread>

#include "base/fuse/session.h"
#include "base/parse.h"
#include "base/sys/socket.h"
#include "procfs/file_table.h"
#include "procfs/fuse/operations.h"
#include "tests/support/fuse_wire.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using test::wire_bytes;
using test::WireReply;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

class ProcfsWireTest : public ::testing::Test {
 protected:
  void SetUp() override {
    machine.cgroups.create("/box");
    machine.cgroups.set_memory("/box", 256 << 20, 0);
    machine.cgroups.set_quota("/box", 150'000);
    ASSERT_TRUE(machine.add("box", "/box"));
    auto pair = *sys::seqpacket_pair();
    kernel = std::make_unique<test::FuseWire>(std::move(pair.first));
    ASSERT_TRUE(session.attach_socket(pair.second.release()));
    server = std::thread([this] { static_cast<void>(session.serve({.threads = 2})); });
    kernel->init();
  }
  void TearDown() override {
    session.stop();
    kernel->close();
    server.join();
  }

  WireReply call(std::uint32_t opcode, std::uint64_t node, std::string_view body, std::uint32_t pid = 0) {
    kernel->pid = static_cast<pid_t>(pid);
    return kernel->call(opcode, node, body);
  }
  WireReply lookup(std::uint64_t parent, const std::string& name, std::uint32_t pid = 0) {
    return call(FUSE_LOOKUP, parent, std::string_view(name.c_str(), name.size() + 1), pid);
  }
  std::uint64_t walk(std::string_view path) {
    std::uint64_t node = FUSE_ROOT_ID;
    for (const auto name : split(path, '/')) {
      const auto reply = lookup(node, std::string(name));
      EXPECT_EQ(reply.error, 0) << name;
      node = reply.as<fuse_entry_out>().nodeid;
    }
    return node;
  }
  WireReply open(std::uint64_t node, std::uint32_t pid = 0) {
    return call(FUSE_OPEN, node, wire_bytes(fuse_open_in{}), pid);
  }
  WireReply read(std::uint64_t node, std::uint64_t handle, std::uint64_t offset, std::uint32_t size,
                 std::uint32_t opcode = FUSE_READ) {
    fuse_read_in in{};
    in.fh = handle;
    in.offset = offset;
    in.size = size;
    in.read_flags = FUSE_READ_LOCKOWNER;
    return call(opcode, node, wire_bytes(in));
  }
  // The error of writing to a file that is opened for it.
  int write(std::uint64_t node, std::string_view text) {
    fuse_write_in in{};
    in.fh = open(node).as<fuse_open_out>().fh;
    in.size = static_cast<std::uint32_t>(text.size());
    return call(FUSE_WRITE, node, wire_bytes(in) + std::string(text)).error;
  }
  std::string content(std::uint64_t node, std::uint32_t pid = 0) {
    const auto opened = open(node, pid);
    EXPECT_EQ(opened.error, 0);
    const auto handle = opened.as<fuse_open_out>().fh;
    auto text = read(node, handle, 0, 1 << 16).body;
    fuse_release_in release{};
    release.fh = handle;
    EXPECT_EQ(call(FUSE_RELEASE, node, wire_bytes(release)).error, 0);
    return text;
  }
  // Names of a directory, by buffers so small that it takes many calls.
  std::vector<std::string> names(std::uint64_t node) {
    std::vector<std::string> found;
    for (std::uint64_t offset = 0;;) {
      const auto part = read(node, 0, offset, 100, FUSE_READDIR).body;
      if (part.empty()) return found;
      for (std::size_t at = 0; at < part.size();) {
        fuse_dirent entry{};
        std::memcpy(&entry, part.data() + at, FUSE_NAME_OFFSET);
        found.emplace_back(part.data() + at + FUSE_NAME_OFFSET, entry.namelen);
        at += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
        offset = entry.off;
      }
    }
  }

  FakeMachine machine{cgroup::Mode::unified};
  OpenFiles files{machine.tree, machine.clock};
  FileSystem file_system{machine.tree, files, 1234};
  fuse::Session session = *fuse::Session::create("test", operations(), &file_system, {});
  std::unique_ptr<test::FuseWire> kernel;
  std::thread server;
};

TEST_F(ProcfsWireTest, AFileIsReadOnlyOfSomeSizeAndItsNameLasts) {
  const auto proc = walk("containers/box");
  const auto entry = lookup(proc, "meminfo").as<fuse_entry_out>();
  EXPECT_EQ(entry.attr.mode, static_cast<std::uint32_t>(S_IFREG | 0444));
  EXPECT_EQ(entry.attr.size, 4096u);
  EXPECT_GT(entry.entry_valid, 1000u);
  EXPECT_GT(entry.attr_valid, 1000u);
  EXPECT_EQ(entry.nodeid >> 32, machine.registry.by_id("box")->number());
  EXPECT_EQ(lookup(proc, "none").error, ENOENT);
  const auto attr = call(FUSE_GETATTR, entry.nodeid, wire_bytes(fuse_getattr_in{})).as<fuse_attr_out>().attr;
  EXPECT_EQ(attr.ino, entry.nodeid);
  EXPECT_EQ(attr.mtime, 1234u);
}

// Programs that trust the size read no further; tail(1) looks for the end near it.
TEST_F(ProcfsWireTest, ALongFileIsSaidToBeAsLongAsItsText) {
  for (const std::size_t length : {100u, 5000u, 9000u}) {
    std::string cpuinfo;
    for (unsigned cpu = 0; cpu < 4; ++cpu)
      cpuinfo += "processor\t: " + std::to_string(cpu) + "\nflags\t\t: " + std::string(length, 'f') + "\n\n";
    machine.cgroups.write("/proc/cpuinfo", cpuinfo);
    machine.later();
    const auto entry = lookup(walk("containers/box"), "cpuinfo").as<fuse_entry_out>();
    EXPECT_EQ(entry.attr_valid, 0u);  // it has to be asked for
    EXPECT_GT(entry.attr.size, 2 * length);
    const auto found = call(FUSE_GETATTR, entry.nodeid, wire_bytes(fuse_getattr_in{})).as<fuse_attr_out>();
    EXPECT_EQ(found.attr_valid, 1u);
    const auto text = content(entry.nodeid);
    EXPECT_GT(text.size(), 2 * length);
    EXPECT_GE(found.attr.size, text.size());
    EXPECT_LE(found.attr.size, text.size() + 5120);
  }
}

TEST_F(ProcfsWireTest, NoOtherFileIsLongerThanAPage) {
  for (const auto& row : file_table()) {
    if (row.is_long || row.path.contains("disk#")) continue;  // no disk here
    const auto text = row.render(*machine.registry.by_id("box"), 0);
    ASSERT_TRUE(text) << row.path;
    EXPECT_LE(text->size(), 4096u) << row.path;
  }
}

TEST_F(ProcfsWireTest, ANameThatMayBecomeAnotherContainersIsAskedForEveryTime) {
  const auto containers = walk("containers");
  const auto entry = lookup(containers, "box").as<fuse_entry_out>();
  EXPECT_EQ(entry.entry_valid, 0u);
  EXPECT_EQ(entry.entry_valid_nsec, 0u);
  machine.registry.remove("box");
  EXPECT_EQ(lookup(containers, "box").error, ENOENT);
  ASSERT_TRUE(machine.add("box", "/box"));
  EXPECT_NE(lookup(containers, "box").as<fuse_entry_out>().nodeid, entry.nodeid);
}

TEST_F(ProcfsWireTest, OpenTellsTheKernelNotToCacheAndNotToFlush) {
  const auto opened = open(walk("containers/box/stat")).as<fuse_open_out>();
  EXPECT_TRUE(opened.open_flags & FOPEN_DIRECT_IO);
  EXPECT_TRUE(opened.open_flags & FOPEN_NOFLUSH);
  EXPECT_FALSE(opened.open_flags & FOPEN_KEEP_CACHE);
}

// It would keep the text for whoever comes next.
TEST_F(ProcfsWireTest, ThePageCacheGetsNothing) {
  const auto node = walk("containers/box/meminfo");
  fuse_read_in in{};
  in.fh = open(node).as<fuse_open_out>().fh;
  in.size = 4096;
  EXPECT_EQ(call(FUSE_READ, node, wire_bytes(in)).error, EINVAL);
  EXPECT_THAT(read(node, in.fh, 0, 4096).body, StartsWith("MemTotal:"));
}

TEST_F(ProcfsWireTest, ReadsAreSlicesOfOneText) {
  const auto node = walk("containers/box/meminfo");
  const auto handle = open(node).as<fuse_open_out>().fh;
  std::string text;
  for (;;) {
    const auto part = read(node, handle, text.size(), 7).body;
    if (part.empty()) break;
    text += part;
    machine.clock.advance(std::chrono::seconds(1));
    machine.cgroups.set_memory("/box", 128 << 20, 0);
  }
  EXPECT_THAT(text, StartsWith("MemTotal:         262144 kB\n"));
  EXPECT_EQ(read(node, handle, 1 << 20, 10).body, "");
  EXPECT_THAT(read(node, handle, 0, 100).body, StartsWith("MemTotal:         131072 kB\n"));
}

TEST_F(ProcfsWireTest, DirectoriesListWhatLookupFinds) {
  EXPECT_THAT(names(FUSE_ROOT_ID), ElementsAre(".", "..", "containers", "proc", "sys"));
  EXPECT_THAT(names(walk("containers/box/cpu")), IsSupersetOf({"cpu0", "cpu1", "online", "smt"}));
  EXPECT_EQ(read(walk("containers/box/stat"), 0, 0, 100, FUSE_READDIR).error, ENOTDIR);
}

TEST_F(ProcfsWireTest, TheSharedTreeAsksWhoTheCallerIs) {
  machine.cgroups.create("/mine");
  machine.cgroups.set_memory("/mine", 64 << 20, 0);
  machine.cgroups.write("/proc/5000010/cgroup", "0::/box\n");
  machine.cgroups.write("/proc/5000011/cgroup", "0::/mine\n");
  const auto node = walk("proc/meminfo");
  EXPECT_THAT(content(node, 5000010), StartsWith("MemTotal:         262144 kB\n"));
  EXPECT_THAT(content(node, 5000011), StartsWith("MemTotal:          65536 kB\n"));
  EXPECT_EQ(open(node, 5000012).error, ENOENT);
  EXPECT_EQ(open(node, 0).error, ESRCH);  // outside our pid namespace
}

TEST_F(ProcfsWireTest, ForeignNodesAndHandlesAreErrors) {
  EXPECT_EQ(open((std::uint64_t{77} << 32) | 5).error, ESTALE);
  EXPECT_EQ(open(0xffff0000).error, ESTALE);
  EXPECT_EQ(call(FUSE_GETATTR, 0x0fffffff, wire_bytes(fuse_getattr_in{})).error, ESTALE);
  EXPECT_EQ(lookup(0x0fffffff, "x").error, ESTALE);
  EXPECT_EQ(read(walk("proc/stat"), 999, 0, 10).error, EBADF);
  EXPECT_EQ(open(walk("containers/box")).error, EISDIR);
  EXPECT_EQ(read(0, 0, 0, 100, FUSE_READDIR).error, ESTALE);
}

TEST_F(ProcfsWireTest, NothingCanBeMadeOrChanged) {
  const auto proc = walk("containers/box");
  EXPECT_EQ(call(FUSE_UNLINK, proc, std::string("stat\0", 5)).error, ENOSYS);
  const auto stat = walk("containers/box/stat");
  EXPECT_EQ(write(stat, "some 100000 2000000"), EINVAL);
}

// Nobody waits for triggers here.
TEST_F(ProcfsWireTest, OfPressureFilesTriggersAreExpected) {
  EXPECT_EQ(write(walk("containers/box/pressure/cpu"), "some 100000 2000000"), EOPNOTSUPP);
}

}  // namespace
}  // namespace nacre::procfs
