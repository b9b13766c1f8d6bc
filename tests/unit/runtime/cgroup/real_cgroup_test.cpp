// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <functional>

#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/cgroup/devices.h"
#include "runtime/cgroup/manager.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

// The kernel's own cgroups, on whatever hierarchies this machine has.
namespace nacre::runtime {
namespace {

using test::FailsSaying;
using test::Succeeds;
using test::Yields;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RealCgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    hierarchies_ = *cgroup::Hierarchies::detect();
    if (hierarchies_.mode() == cgroup::Mode::none) GTEST_SKIP() << "no cgroup file system is mounted";
    path_ = "/nacre-unit." + std::to_string(::getpid());
    for (const auto& hierarchy : hierarchies_.all())
      if (::access(hierarchy.mountpoint.c_str(), W_OK) != 0)
        GTEST_SKIP() << hierarchy.mountpoint << " is read-only";
  }
  void TearDown() override {
    if (path_.empty()) return;
    auto manager = CgroupManager::open(hierarchies_, path_);
    EXPECT_THAT(manager->kill_all(SIGKILL), Succeeds());
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    EXPECT_THAT(manager->remove(), Succeeds());
    for (const auto& hierarchy : hierarchies_.all()) EXPECT_FALSE(sys::exists(hierarchy.directory(path_)));
  }

  CgroupManager make(const spec::Resources& resources = {}, const std::string& below = "") {
    auto manager = CgroupManager::create(hierarchies_, path_ + below, resources);
    EXPECT_THAT(manager, Succeeds());
    return manager ? std::move(*manager) : *CgroupManager::open(hierarchies_, path_ + below);
  }
  bool has(const char* controller) const { return hierarchies_.of(controller) != nullptr; }
  std::string read(const char* controller, const char* v1, const char* v2) {
    const auto* hierarchy = hierarchies_.of(controller);
    const auto text =
        sys::read_file(hierarchy->directory(path_) + "/" + (hierarchy->v2 ? v2 : v1)).value_or("(missing)");
    return std::string(trim(text));
  }
  // A child that enters the cgroup and then runs `body`.
  pid_t run(const CgroupManager& manager, const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (const auto& file : manager.procs_files())
        if (!sys::write_file(file, "0")) ::_exit(120);
      ::_exit(body());
    }
    return child;
  }
  static int wait(pid_t child) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  static bool wait_for_pids(const CgroupManager& manager, std::size_t count) {
    for (int i = 0; i < 500; ++i) {
      if (manager.pids()->size() >= count) return true;
      ::usleep(10000);
    }
    return false;
  }

  cgroup::Hierarchies hierarchies_;
  std::string path_;
};

[[noreturn]] void sleep_forever() {
  for (;;) ::pause();
}

TEST_F(RealCgroupTest, LimitsAreWhatTheKernelReports) {
  if (!has("memory") || !has("pids") || !has("cpu")) GTEST_SKIP() << "no memory, pids or cpu controller";
  spec::Resources resources;
  resources.memory.limit = 64 << 20;
  resources.pids_limit = 20;
  resources.cpu.quota = 50000;
  resources.cpu.period = 100000;
  resources.cpu.shares = 512;
  auto manager = make(resources);
  EXPECT_EQ(read("memory", "memory.limit_in_bytes", "memory.max"), "67108864");
  EXPECT_EQ(read("pids", "pids.max", "pids.max"), "20");
  const bool v2 = hierarchies_.of("cpu")->v2;
  EXPECT_EQ(read("cpu", "cpu.cfs_quota_us", "cpu.max"), v2 ? "50000 100000" : "50000");
  EXPECT_EQ(read("cpu", "cpu.shares", "cpu.weight"), v2 ? "59" : "512");

  // An update raises and lowers in whatever order the kernel accepts.
  resources.memory.limit = 128 << 20;
  resources.cpu.quota = 900000;
  resources.cpu.period = 1000000;
  EXPECT_THAT(manager.apply(resources), Succeeds());
  EXPECT_EQ(read("memory", "memory.limit_in_bytes", "memory.max"), "134217728");
  resources.memory.limit = -1;
  resources.cpu.quota = -1;
  EXPECT_THAT(manager.apply(resources), Succeeds());
  EXPECT_EQ(read("cpu", "cpu.cfs_quota_us", "cpu.max"), v2 ? "max 1000000" : "-1");
}

TEST_F(RealCgroupTest, MemoryAndSwapGoUpAndDown) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  spec::Resources resources;
  auto manager = make();
  for (const std::int64_t mib : {256, 64, 512, 128}) {
    resources.memory.limit = mib << 20;
    resources.memory.swap = 2 * mib << 20;
    const auto applied = manager.apply(resources);
    if (!applied && applied.error().message().find("swapaccount") != std::string::npos)
      GTEST_SKIP() << applied.error().message();
    EXPECT_THAT(applied, Succeeds()) << mib;
    EXPECT_EQ(read("memory", "memory.limit_in_bytes", "memory.max"), std::to_string(mib << 20));
  }
}

TEST_F(RealCgroupTest, ARefusedLimitIsNamedWithTheFix) {
  if (!has("cpu")) GTEST_SKIP() << "no cpu controller";
  spec::Resources resources;
  resources.cpu.quota = 10;
  const auto refused = CgroupManager::create(hierarchies_, path_, resources);
  EXPECT_THAT(refused, FailsSaying("cpu quota 10: write \"10"));
  EXPECT_THAT(refused, FailsSaying("Invalid argument (a quota is 1000 microseconds or more"));
  for (const auto& hierarchy : hierarchies_.all()) EXPECT_FALSE(sys::exists(hierarchy.directory(path_)));
}

TEST_F(RealCgroupTest, ProcessesOverTheLimitAreOomKilled) {
  if (!has("memory")) GTEST_SKIP() << "no memory controller";
  spec::Resources resources;
  resources.memory.limit = 32 << 20;
  const auto manager = make(resources);
  EXPECT_THAT(manager.oom_killed(), Yields(false));
  const pid_t child = run(manager, [] {
    for (;;) {
      volatile char* page = new char[4096];
      page[0] = 1;
    }
    return 0;
  });
  EXPECT_EQ(wait(child), 128 + SIGKILL);
  EXPECT_THAT(manager.oom_killed(), Yields(true));
}

// Threads count too, and a sanitizer may have one of its own in each process: hence at most.
TEST_F(RealCgroupTest, NoMoreProcessesThanAllowed) {
  if (!has("pids")) GTEST_SKIP() << "no pids controller";
  spec::Resources resources;
  resources.pids_limit = 7;
  const auto manager = make(resources);
  const int forked = wait(run(manager, [] {
    int count = 0;
    for (int i = 0; i < 20; ++i) {
      const pid_t pid = ::fork();
      if (pid == 0) sleep_forever();
      if (pid > 0) ++count;
    }
    return count;
  }));
  EXPECT_GE(forked, 2);
  EXPECT_LE(forked, 6);
}

TEST_F(RealCgroupTest, KillsEverythingBelowEvenWhenFrozen) {
  auto manager = make();
  // Processes live in leaves, as v2 wants it.
  const auto first = make({}, "/first"), second = make({}, "/second");
  run(first, [] {
    ::signal(SIGTERM, SIG_IGN);
    if (::fork() == 0) sleep_forever();
    sleep_forever();
    return 0;
  });
  run(second, [] {
    sleep_forever();
    return 0;
  });
  ASSERT_TRUE(wait_for_pids(manager, 3));
  EXPECT_THAT(manager.kill_all(0), Succeeds());
  const auto frozen = manager.freeze(true);
  ASSERT_THAT(frozen, Succeeds());
  EXPECT_THAT(manager.frozen(), Yields(true));
  EXPECT_THAT(manager.kill_all(SIGKILL), Succeeds());
  EXPECT_THAT(manager.pids(), Yields(IsEmpty()));
}

TEST_F(RealCgroupTest, FrozenProcessesStandStill) {
  if (!has("freezer") && hierarchies_.v2() == nullptr) GTEST_SKIP() << "no freezer";
  auto manager = make();
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
  run(manager, [&] {
    for (;;) {
      ::usleep(1000);
      if (::write(pipe_ends[1], "x", 1) < 0) return 1;
    }
  });
  ASSERT_TRUE(wait_for_pids(manager, 1));
  char buffer[65536];
  const auto drain = [&] {
    while (::read(pipe_ends[0], buffer, sizeof buffer) > 0) {
    }
  };
  ASSERT_THAT(manager.freeze(true), Succeeds());
  drain();
  ::usleep(50000);
  EXPECT_EQ(::read(pipe_ends[0], buffer, 1), -1) << "it moved";
  ASSERT_THAT(manager.freeze(false), Succeeds());
  EXPECT_THAT(manager.frozen(), Yields(false));
  bool moved = false;
  for (int i = 0; i < 500 && !moved; ++i) {
    ::usleep(10000);
    moved = ::read(pipe_ends[0], buffer, 1) == 1;
  }
  EXPECT_TRUE(moved);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

TEST_F(RealCgroupTest, AForkBombIsKilledWhole) {
  if (!has("pids")) GTEST_SKIP() << "no pids controller";
  spec::Resources resources;
  resources.pids_limit = 50;
  auto manager = make(resources);
  run(manager, [] {
    ::signal(SIGCHLD, SIG_IGN);
    for (;;) ::fork();
    return 0;
  });
  ASSERT_TRUE(wait_for_pids(manager, 20));
  EXPECT_THAT(manager.kill_all(SIGKILL), Succeeds());
  EXPECT_THAT(manager.pids(), Yields(IsEmpty()));
}

TEST_F(RealCgroupTest, ParentsStayWhenACgroupIsRemoved) {
  auto inner = make({}, "/a/b");
  EXPECT_THAT(inner.remove(), Succeeds());
  for (const auto& hierarchy : hierarchies_.all()) {
    EXPECT_FALSE(sys::exists(hierarchy.directory(path_ + "/a/b")));
    EXPECT_TRUE(sys::exists(hierarchy.directory(path_ + "/a")));
  }
}

TEST_F(RealCgroupTest, APathIsClaimedBeforeAnythingIsMadeThere) {
  const std::string path = path_ + "/claimed";
  const auto claim = [&]() -> Result<> {
    for (const auto& hierarchy : hierarchies_.all()) EXPECT_FALSE(sys::exists(hierarchy.directory(path)));
    return fail(ENOSPC, "write down");
  };
  EXPECT_THAT(CgroupManager::create(hierarchies_, path, {}, claim), test::FailsWith(ENOSPC));
  for (const auto& hierarchy : hierarchies_.all()) EXPECT_FALSE(sys::exists(hierarchy.directory(path)));
}

TEST_F(RealCgroupTest, JoinMovesAProcessInEveryHierarchy) {
  auto manager = make();
  const pid_t child = ::fork();
  if (child == 0) sleep_forever();
  EXPECT_THAT(manager.join(child), Succeeds());
  EXPECT_THAT(manager.pids(), Yields(Contains(child)));
  const auto memberships =
      *cgroup::parse_memberships(*sys::read_file("/proc/" + std::to_string(child) + "/cgroup"));
  for (const auto& membership : memberships) EXPECT_EQ(membership.path, path_);
  // What is somebody else's is never claimed.
  bool claimed = false;
  const auto claim = [&]() -> Result<> {
    claimed = true;
    return {};
  };
  EXPECT_THAT(CgroupManager::create(hierarchies_, path_, {}, claim), FailsSaying("already has processes"));
  EXPECT_FALSE(claimed);
}

// The errno of opening a device, 0 for success.
int open_device(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const int code = fd < 0 ? errno : 0;
  if (fd >= 0) ::close(fd);
  return code;
}

class RealDevicesTest : public RealCgroupTest {
 protected:
  // In a cgroup that denies everything but the defaults: null works, another device is refused, and
  // a node can be made. The number is a driver's without a device: who may open it gets ENODEV.
  void expect_rules_hold(const CgroupManager& manager) {
    const test::TempDir scratch;
    ASSERT_EQ(::mknod((scratch / "other").c_str(), S_IFCHR | 0600, makedev(10, 250)), 0);
    EXPECT_EQ(wait(run(manager,
                       [&] {
                         if (open_device("/dev/null", O_RDWR) != 0) return 1;
                         if (open_device(scratch / "other", O_RDONLY) != EPERM) return 2;
                         if (::mknod((scratch / "node").c_str(), S_IFCHR | 0600, makedev(10, 250)) != 0)
                           return 3;
                         return 0;
                       })),
              0);
  }
};

TEST_F(RealDevicesTest, RulesHold) {
  spec::Resources resources;
  resources.devices = {{}};
  const auto manager = make(resources);
  expect_rules_hold(manager);
}

// The same through v2's programs, also where v1 has the devices controller: as on a v2-only machine.
TEST_F(RealDevicesTest, ProgramsHoldAndAreReplaced) {
  const auto* v2 = hierarchies_.v2();
  if (v2 == nullptr) GTEST_SKIP() << "no cgroup v2 mount";
  const auto only_v2 =
      *cgroup::Hierarchies::from_mountinfo("1 0 0:1 / " + v2->mountpoint + " rw - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(only_v2.mode(), cgroup::Mode::unified);
  spec::Resources resources;
  resources.devices = {{}};
  auto manager = CgroupManager::create(only_v2, path_, resources);
  ASSERT_THAT(manager, Succeeds());
  expect_rules_hold(*manager);

  resources.devices = {{}, {true, "c", 10, 250, "r"}};
  EXPECT_THAT(manager->apply(resources), Succeeds());
  const test::TempDir scratch;
  ASSERT_EQ(::mknod((scratch / "other").c_str(), S_IFCHR | 0600, makedev(10, 250)), 0);
  EXPECT_EQ(wait(run(*manager, [&] { return open_device(scratch / "other", O_RDONLY) != EPERM ? 0 : 1; })), 0)
      << "the new rules count";
  EXPECT_EQ(wait(run(*manager, [&] { return open_device(scratch / "other", O_WRONLY) == EPERM ? 0 : 1; })),
            0);

  run(*manager, [] {
    sleep_forever();
    return 0;
  });
  ASSERT_TRUE(wait_for_pids(*manager, 1));
  EXPECT_THAT(manager->freeze(true), Succeeds());
  EXPECT_THAT(manager->frozen(), Yields(true));
  EXPECT_THAT(manager->freeze(false), Succeeds());
  EXPECT_THAT(manager->frozen(), Yields(false));
  EXPECT_THAT(manager->freeze(true), Succeeds());
  EXPECT_THAT(manager->kill_all(SIGKILL), Succeeds());
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  EXPECT_THAT(manager->remove(), Succeeds());
}

}  // namespace
}  // namespace nacre::runtime
