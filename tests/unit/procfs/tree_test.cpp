// SPDX-License-Identifier: Apache-2.0
#include "procfs/tree.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>

#include "procfs/file_table.h"
#include "procfs/open_files.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/procfs/fixture.h"

namespace nacre::procfs {
namespace {

using test::FailsWith;
using test::Succeeds;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;

class TreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    machine.cgroups.create("/box");
    machine.cgroups.set_quota("/box", 200'000);
    use_disk("254:0", "disk1");
    container = *machine.add("box", "/box");
    directory = *machine.tree.resolve({}, "containers/box", 0);
  }
  void use_disk(const std::string& device, const std::string& name) {
    std::filesystem::create_symlink("../../devices/virtual/block/" + name,
                                    machine.cgroups.root() + "/sys/dev/block/" + device);
    io_stat = device + " rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n" + io_stat;
    machine.cgroups.write("/sys/fs/cgroup/box/io.stat", io_stat);
  }
  std::vector<std::string> names(NodeId id) {
    std::vector<std::string> found;
    const auto entries = *machine.tree.list(id, 0);
    for (const auto& entry : entries) found.push_back(entry.name);
    return found;
  }
  NodeId at(std::string_view path) { return *machine.tree.resolve(directory, path, 0); }
  // Of a row of the table.
  std::string in_container(std::string_view path) {
    for (const std::string_view above : {"proc/", "sys/devices/system/", "sys/"})
      if (path.starts_with(above)) return std::string(path.substr(above.size()));
    return std::string(path);
  }

  FakeMachine machine{cgroup::Mode::unified};
  OpenFiles files{machine.tree, machine.clock};
  ContainerRef container;
  NodeId directory;
  std::string io_stat;
};

TEST_F(TreeTest, TheRootIsNodeOne) {
  EXPECT_EQ(NodeId{}.raw(), 1u);
  EXPECT_EQ(NodeId::from(1), NodeId{});
}

TEST_F(TreeTest, NamesAreThoseOfTheTable) {
  EXPECT_THAT(names({}), UnorderedElementsAre("containers", "proc", "sys"));
  EXPECT_THAT(names(*machine.tree.resolve({}, "containers", 0)), ElementsAre("box"));
  EXPECT_THAT(names(directory),
              UnorderedElementsAre("block", "cpu", "node", "cpuinfo", "diskstats", "interrupts", "loadavg",
                                   "meminfo", "partitions", "pressure", "slabinfo", "softirqs", "stat",
                                   "swaps", "uptime", "vmstat", "zoneinfo"));
  EXPECT_THAT(names(at("pressure")), UnorderedElementsAre("cpu", "io", "irq", "memory"));
  EXPECT_THAT(names(at("node")), IsSupersetOf({"node0", "online", "has_memory"}));
  EXPECT_THAT(names(at("cpu/cpu1/topology")),
              IsSupersetOf({"core_id", "physical_package_id", "thread_siblings_list"}));
}

TEST_F(TreeTest, AContainerIsKnownByItsNumberBeforeItIsRegistered) {
  const auto number = machine.registry.reserve();
  const auto containers = *machine.tree.resolve({}, Tree::kContainers, 0);
  const auto next = machine.tree.lookup(containers, Tree::name_ahead(number), 0);
  ASSERT_THAT(next, Succeeds());
  EXPECT_EQ(next->lasting, Lasting::never);
  EXPECT_EQ(names(next->id), names(directory));
  const auto meminfo = *machine.tree.resolve(next->id, "meminfo", 0);
  EXPECT_THAT(machine.tree.file(meminfo, 0), FailsWith(ESTALE));
  EXPECT_THAT(files.open(meminfo, 0), FailsWith(ESTALE));
  EXPECT_THAT(names(containers), ElementsAre("box"));

  ASSERT_THAT(machine.registry.add({"next", ::getpid(), "/box"}, number), Succeeds());
  EXPECT_EQ(*machine.tree.resolve(containers, "next/meminfo", 0), meminfo);
  EXPECT_THAT(files.open(meminfo, 0), Succeeds());
  for (const auto* const name : {".", "..", ".0", ".-1", ".x", ".4294967296"})
    EXPECT_THAT(machine.tree.lookup(containers, name, 0), FailsWith(ENOENT)) << name;
}

// busybox counts the directories, glibc reads the lists, top the lines.
TEST_F(TreeTest, TheCpuDirectoryHasAsManyCpusAsItsFilesSay) {
  const auto cpu = names(at("cpu"));
  EXPECT_THAT(cpu, IsSupersetOf({"cpu0", "cpu1", "online", "possible", "present", "kernel_max"}));
  EXPECT_EQ(std::ranges::count_if(cpu, [](const auto& name) { return name.starts_with("cpu"); }), 2);
  EXPECT_THAT(machine.tree.lookup(at("cpu"), "cpu2", 0), FailsWith(ENOENT));
  for (const char* odd : {"cpu", "cpu00", "cpu01", "cpu-1", "cpux", "cpu99999999999", "cpu#"})
    EXPECT_THAT(machine.tree.lookup(at("cpu"), odd, 0), FailsWith(ENOENT)) << odd;
  machine.later();
  machine.cgroups.set_quota("/box", 300'000);
  EXPECT_THAT(machine.tree.lookup(at("cpu"), "cpu2", 0), Succeeds());
}

TEST_F(TreeTest, DisksAreThoseThatTheContainerUses) {
  const auto block = at("block");
  const auto disk = machine.tree.lookup(block, "disk1", 0);
  EXPECT_THAT(names(block), ElementsAre("disk1"));
  EXPECT_THAT(names(disk->id), UnorderedElementsAre("dev", "removable", "ro", "size", "stat"));
  // Another one before it in the list does not change what a node means.
  use_disk("7:0", "loop0");
  machine.later();
  EXPECT_THAT(names(block), UnorderedElementsAre("disk1", "loop0"));
  EXPECT_EQ(machine.tree.lookup(block, "disk1", 0)->id, disk->id);
  const auto handle = files.open(at("block/disk1/dev"), 0);
  EXPECT_EQ(**files.text({*handle}, 0), "254:0\n");
  files.release(*handle);
}

TEST_F(TreeTest, NodeIdsAreUniqueAndTheSameEveryTime) {
  std::set<std::uint64_t> seen;
  const std::function<void(NodeId)> walk = [&](NodeId id) {
    EXPECT_TRUE(seen.insert(id.raw()).second) << id.raw();
    EXPECT_EQ(NodeId::from(id.raw()), id);
    if (!machine.tree.is_directory(id)) return;
    const auto entries = *machine.tree.list(id, 0);
    for (const auto& entry : entries) {
      EXPECT_EQ(machine.tree.lookup(id, entry.name, 0)->id, entry.id);
      walk(entry.id);
    }
  };
  walk(directory);
  EXPECT_GT(seen.size(), 50u);
}

TEST_F(TreeTest, EveryFileOpensAndEndsWithANewline) {
  for (const auto& row : file_table()) {
    auto path = std::string(row.path);
    if (const auto hash = path.find('#'); hash != std::string::npos) path[hash] = '1';
    const auto handle = files.open(at(in_container(path)), 0);
    ASSERT_THAT(handle, Succeeds()) << path;
    const auto text = files.text({*handle}, 0);
    ASSERT_THAT(text, Succeeds()) << path;
    if (path != "proc/diskstats") {
      EXPECT_EQ((*text)->back(), '\n') << path;
    }
    files.release(*handle);
  }
}

TEST_F(TreeTest, TopologyIsConsistent) {
  const auto text = [&](std::string_view path) {
    const auto handle = *files.open(at(in_container(path)), 0);
    auto text = **files.text({handle}, 0);
    files.release(handle);
    return text;
  };
  const std::string cpu = "cpu/";
  EXPECT_EQ(text(cpu + "online"), "0-1\n");
  EXPECT_EQ(text(cpu + "possible"), "0-1\n");
  EXPECT_EQ(text(cpu + "offline"), "\n");
  EXPECT_EQ(text(cpu + "kernel_max"), "1\n");
  EXPECT_EQ(text(cpu + "cpu1/topology/core_id"), "1\n");
  EXPECT_EQ(text(cpu + "cpu1/topology/thread_siblings"), "2\n");
  EXPECT_EQ(text(cpu + "cpu1/topology/core_siblings"), "3\n");
  EXPECT_EQ(text(cpu + "cpu1/topology/core_siblings_list"), "0-1\n");
}

TEST_F(TreeTest, ForeignIdsAndHandlesAreRefused) {
  EXPECT_THAT(files.open({container->number(), 0, 60000}, 0), FailsWith(ESTALE));
  EXPECT_THAT(files.open({container->number() + 5, 0, at("stat").index}, 0), FailsWith(ESTALE));
  EXPECT_THAT(files.open(at("pressure"), 0), FailsWith(EISDIR));
  EXPECT_THAT(files.text({4711}, 0), FailsWith(EBADF));
  files.release(4711);
}

TEST_F(TreeTest, AnOpenFileOutlivesItsContainersRegistration) {
  const auto handle = *files.open(at("uptime"), 0);
  const auto id = at("uptime");
  machine.registry.remove("box");
  EXPECT_THAT(files.text({handle}, 0), Succeeds());
  EXPECT_THAT(files.open(id, 0), FailsWith(ESTALE));
  files.release(handle);
}

TEST_F(TreeTest, ReadingFromTheStartAgainIsANewText) {
  const auto handle = *files.open(at("uptime"), 0);
  const auto first = *files.text({handle}, 0);
  machine.later();
  EXPECT_EQ(*files.text({handle}, 5), first);  // the rest of the same text
  const auto second = *files.text({handle}, 0);
  EXPECT_NE(*second, *first);
  // A file opened long before it is read shows the present.
  const auto idle = *files.open(at("uptime"), 0);
  machine.later();
  EXPECT_NE(**files.text({idle}, 0), *second);
  files.release(handle);
  files.release(idle);
}

}  // namespace
}  // namespace nacre::procfs
