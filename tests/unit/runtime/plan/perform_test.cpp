// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan/perform.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "runtime/spec/defaults.h"
#include "tests/support/golden.h"
#include "tests/support/recording_kernel.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::plan {
namespace {

using test::FailsSaying;
using test::RecordingKernel;
using test::Succeeds;

Plan default_plan() {
  auto spec = spec::default_spec();
  spec.process->terminal = false;
  return *make_plan(spec, {.bundle = "/bundle",
                           .root_given = false,
                           .pivot = true,
                           .hierarchies = {{"/sys/fs/cgroup", "/", {"cpu"}, true}},
                           .cgroup_path = "/nacre/box"});
}

class Perform : public ::testing::Test {
 protected:
  Result<> perform(const Plan& plan) {
    materials_.root = root_.get();
    materials_.joins = joins_;
    materials_.sources = sources_;
    return plan::perform(kernel_, plan, materials_);
  }
  Result<> perform(Step step) {
    Plan plan;
    plan.steps.push_back(std::move(step));
    return perform(plan);
  }

  RecordingKernel kernel_;
  UniqueFd root_ = kernel_.descriptor("root");
  std::vector<UniqueFd> joins_, sources_;
  Materials materials_;
};

TEST_F(Perform, TheDefaultPlan) {
  kernel_.missing("/proc/asound");
  kernel_.directory("/proc/acpi");
  kernel_.directory("/sys/firmware");
  EXPECT_THAT(perform(default_plan()), Succeeds());
  EXPECT_TRUE(test::matches_golden(kernel_.text(), "plans/default-calls.txt"));
}

// Whatever call fails, the error is reported once, with the step it belongs to, and nothing
// more is done.
TEST_F(Perform, AFailureAnywhereStopsAndNamesTheStep) {
  const auto plan = default_plan();
  EXPECT_THAT(perform(plan), Succeeds());
  const auto count = kernel_.calls().size();
  for (std::size_t i = 0; i < count; ++i) {
    RecordingKernel failing;
    failing.fail_call(i, EIO);
    Materials materials;
    const auto done = plan::perform(failing, plan, materials);
    ASSERT_FALSE(done) << kernel_.calls()[i];
    EXPECT_EQ(done.error().code, EIO);
    EXPECT_FALSE(done.error().context.empty()) << kernel_.calls()[i];
    EXPECT_EQ(failing.calls().size(), i + 1) << kernel_.calls()[i];
  }
}

TEST_F(Perform, ABindIsASlaveOfTheHostUnlessAsked) {
  sources_.push_back(kernel_.descriptor("source"));
  EXPECT_THAT(perform(BindMount{.source = 0, .path = "/x", .target = "/y", .set = MOUNT_ATTR_RDONLY}),
              Succeeds());
  EXPECT_EQ(kernel_.text(),
            "place /y\nattributes of source propagation=524288 recursive\nattributes of source set=1\n"
            "attach source on /y\n");
}

TEST_F(Perform, ADirectoryIsNotBoundOnAFile) {
  sources_.push_back(kernel_.descriptor("source"));
  kernel_.directory("/y");
  EXPECT_THAT(perform(BindMount{.source = 0, .path = "/x", .target = "/y"}),
              FailsSaying("bind /x on /y: the target is a directory"));
}

TEST_F(Perform, ASymlinkIntoProcIsNoWayIn) {
  sources_.push_back(kernel_.descriptor("source"));
  kernel_.on_proc("/innocent");
  EXPECT_THAT(perform(BindMount{.source = 0, .path = "/x", .target = "/innocent"}),
              FailsSaying("inside the container's /proc"));
  kernel_.on_proc("/proc");
  EXPECT_THAT(perform(BindMount{.source = 0, .path = "/x", .target = "/proc"}),
              FailsSaying("only a proc may be mounted on /proc"));
}

TEST_F(Perform, ADeviceIsBoundWhereNodesAreForbidden) {
  kernel_.fail_call(0, EPERM);
  EXPECT_THAT(perform(MakeDevice{.target = "/dev/null", .mode = S_IFCHR | 0666, .device = 0x103}),
              Succeeds());
  EXPECT_EQ(kernel_.text(),
            "mknod /dev/null\nhost device /dev/null\nclone host's /dev/null\nplace /dev/null\n"
            "attach clone of host's /dev/null on /dev/null\n");
}

TEST_F(Perform, ARefusedSysfsIsBoundInstead) {
  sources_.push_back(kernel_.descriptor("host's /sys"));
  kernel_.fail_call(1, EPERM);
  MountFilesystem sysfs;
  sysfs.type = "sysfs";
  sysfs.target = "/sys";
  sysfs.real_directory = true;
  sysfs.fallback = 0;
  EXPECT_THAT(perform(sysfs), Succeeds());
  EXPECT_EQ(kernel_.calls().back(), "attach host's /sys on /sys");
}

TEST_F(Perform, TheViewIsAttachedWhereTheKernelsFilesAre) {
  kernel_.missing("/proc/uptime");
  kernel_.on_proc("/proc/meminfo");
  for (const char* path : {"/proc/meminfo", "/proc/uptime", "/sys/devices/system/cpu"})
    materials_.view.push_back({path, kernel_.descriptor(std::string("view of ") + path)});
  EXPECT_THAT(perform(AttachView{}), Succeeds());
  EXPECT_EQ(kernel_.text(),
            "find /proc/meminfo\nattach view of /proc/meminfo on /proc/meminfo\nfind /proc/uptime\n"
            "find /sys/devices/system/cpu\n");
}

// Who may write to /sys manages the disks.
TEST_F(Perform, TheDisksAreSeenByWhoMayWriteToThem) {
  kernel_.on_proc("/sys/block");
  materials_.view.push_back({"/sys/block", kernel_.descriptor("view of /sys/block")});
  EXPECT_THAT(perform(AttachView{}), Succeeds());
  EXPECT_EQ(kernel_.text(), "find /sys/block\n");
  kernel_.read_only("/sys/block");
  EXPECT_THAT(perform(AttachView{}), Succeeds());
  EXPECT_EQ(kernel_.calls().back(), "attach view of /sys/block on /sys/block");
}

TEST_F(Perform, WhatIsUncoveredIsTheKernels) {
  kernel_.on_proc("/proc");
  EXPECT_THAT(perform(CloneUncovered{"/proc", "/dev/.nacre/proc"}), Succeeds());
  EXPECT_THAT(perform(CloneUncovered{"/sys", "/dev/.nacre/sys"}), Succeeds());
  EXPECT_EQ(kernel_.text(),
            "find /proc\nclone /proc\nplace /dev/.nacre/proc/\nattach clone of /proc on /dev/.nacre/proc\n"
            "find /sys\n");
}

TEST_F(Perform, TheTerminalIsTheConsole) {
  std::string given;
  materials_.give_terminal = [&](UniqueFd) {
    given = "given";
    return Result<>{};
  };
  EXPECT_THAT(perform(OpenTerminal{24, 80, 0}), Succeeds());
  EXPECT_EQ(given, "given");
  EXPECT_TRUE(materials_.terminal);
  EXPECT_EQ(kernel_.calls().back(), "attach clone of slave on /dev/console");
}

TEST_F(Perform, HooksThatFailEndIt) {
  materials_.create_hooks = [] { return Result<>{bad_input("hook says no")}; };
  EXPECT_THAT(perform(RunCreateHooks{}), FailsSaying("run hooks: hook says no"));
}

}  // namespace
}  // namespace nacre::runtime::plan
