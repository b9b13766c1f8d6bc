// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/parse.h"

#include <gtest/gtest.h>

#include "base/sys/file.h"
#include "runtime/spec/defaults.h"
#include "runtime/spec/validate.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temp_dir.h"

namespace nacre::runtime::spec {
namespace {

using test::FailsSaying;
using test::Succeeds;

// Every member that exists, each with a value of its own.
Spec full() {
  auto spec = default_spec();
  spec.domainname = "example";
  spec.root_readonly = true;
  auto& process = *spec.process;
  process.console_height = 24;
  process.console_width = 80;
  process.user = {.uid = 1, .gid = 2, .umask = 027, .additional_gids = {3, 4}};
  process.rlimits = {{"RLIMIT_NOFILE", 5, UINT64_MAX}};
  process.oom_score_adj = -6;
  process.apparmor_profile = "profile";
  process.selinux_label = "label";
  process.capabilities->ambient = {"CAP_CHOWN"};
  process.capabilities->inheritable = {"CAP_CHOWN"};
  const Hook hook{"/hook", {"hook", "x"}, {"A=b"}, 7};
  spec.hooks = {{hook}, {hook}, {hook}, {hook}, {hook}, {hook}};
  spec.annotations = {{"org.nacre.view", "off"}};
  auto& linux = spec.linux_;
  linux.namespaces.push_back({"user", "/ns/user"});
  linux.namespaces.push_back({"time", ""});
  linux.uid_mappings = {{0, 1000, 65536}};
  linux.gid_mappings = {{0, 2000, 65536}};
  linux.time_offsets = {{"boottime", {-8, 9}}};
  linux.devices = {{"/dev/x", "c", 10, 11, 0600, 12, 13}, {"/dev/y", "p", 0, 0, {}, {}, {}}};
  linux.cgroups_path = "/a/b";
  auto& resources = linux.resources;
  resources.memory = {14, 15, -1, 16, true};
  resources.cpu = {
      .shares = 17, .period = 18, .burst = 19, .quota = -1, .idle = 1, .cpus = "0-1", .mems = "0"};
  resources.pids_limit = 20;
  resources.devices = {{false, "a", {}, {}, "rwm"}, {true, "c", 21, {}, "r"}};
  resources.block_io = {22, {{1, 2, 3}}, {{1, 2, 4}}, {{1, 2, 5}}, {{1, 2, 6}}, {{1, 2, 7}}};
  resources.hugepage_limits = {{"2MB", 23}};
  resources.unified = {{"memory.high", "24"}};
  linux.seccomp->default_errno_ret = 25;
  linux.seccomp->flags = {"SECCOMP_FILTER_FLAG_LOG"};
  linux.seccomp->listener_path = "/agent";
  linux.seccomp->listener_metadata = "meta";
  linux.rootfs_propagation = "rslave";
  linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
  linux.mount_label = "mount label";
  return spec;
}

TEST(SpecParse, ReadsBackWhatItWrites) {
  const auto text = to_json(full());
  const auto again = parse(text);
  ASSERT_THAT(again, Succeeds());
  EXPECT_EQ(to_json(*again), text);
  EXPECT_EQ(again->process->user.umask, 027);
  EXPECT_EQ(again->process->rlimits.at(0).hard, UINT64_MAX);
  EXPECT_EQ(again->linux_.resources.memory.swap, -1);
  EXPECT_EQ(again->linux_.time_offsets.at("boottime").seconds, -8);
  EXPECT_EQ(again->linux_.resources.block_io.write_iops.at(0).value, 7u);
  EXPECT_EQ(again->hooks.poststop.at(0).timeout_seconds, 7);
  EXPECT_EQ(again->linux_.seccomp->syscalls.size(), full().linux_.seccomp->syscalls.size());
}

TEST(SpecParse, NullIsAbsentAndUnknownMembersAreIgnored) {
  const auto spec = parse(
      R"({"ociVersion": "1.0", "process": null, "linux": {"resources": {"memory": {"limit": null}}}, "new": [1]})");
  ASSERT_THAT(spec, Succeeds());
  EXPECT_FALSE(spec->process);
  EXPECT_FALSE(spec->linux_.resources.memory.limit);
}

TEST(SpecParse, AMinusOneDeviceNumberIsEveryNumber) {
  const auto spec =
      parse(R"({"linux": {"resources": {"devices": [{"allow": true, "major": -1, "minor": 5}]}}})");
  ASSERT_THAT(spec, Succeeds());
  EXPECT_FALSE(spec->linux_.resources.devices.at(0).major);
  EXPECT_EQ(spec->linux_.resources.devices.at(0).minor, 5);
}

TEST(SpecParse, ComplaintsNameTheMember) {
  EXPECT_THAT(parse(R"({"a": 1e999999})"), FailsSaying("a number that is too large"));
  EXPECT_THAT(parse("{"), FailsSaying("malformed JSON at byte"));
  EXPECT_THAT(parse("[]"), FailsSaying("not a JSON object"));
  EXPECT_THAT(parse(R"({"process": []})"), FailsSaying("process must be an object"));
  EXPECT_THAT(parse(R"({"process": {"args": ["a", 1]}})"), FailsSaying("process.args[1] must be a string"));
  EXPECT_THAT(parse(R"({"process": {"args": ["a", null]}})"), FailsSaying("process.args[1] must be a value"));
  EXPECT_THAT(parse(R"({"process": {"user": {"uid": -1}}})"),
              FailsSaying("process.user.uid is out of range: -1"));
  EXPECT_THAT(parse(R"({"process": {"user": {"uid": 1.5}}})"),
              FailsSaying("process.user.uid must be an integer"));
  EXPECT_THAT(parse(R"({"process": {"cwd": "/a\u0000b"}})"),
              FailsSaying("process.cwd must be a string without NUL"));
  EXPECT_THAT(parse(R"({"annotations": {"a": 1}})"), FailsSaying("annotations.a must be a string"));
  EXPECT_THAT(parse(R"({"linux": {"resources": {"memory": {"limit": 9223372036854775808}}}})"),
              FailsSaying("out of range"));
}

TEST(SpecParse, WhatCannotBeHonouredIsRefused) {
  EXPECT_THAT(parse(R"({"linux": {"intelRdt": {"closID": "x"}}})"),
              FailsSaying("linux.intelRdt is not supported"));
  EXPECT_THAT(parse(R"({"mounts": [{"uidMappings": [{}]}]})"),
              FailsSaying("mounts[0].uidMappings is not supported"));
  EXPECT_THAT(parse(R"({"process": {"scheduler": {}}})"), Succeeds());  // says nothing
}

TEST(SpecParse, OfAProcessAlone) {
  const auto process = parse_process(R"({"args": ["a"], "cwd": "/x", "terminal": true})");
  ASSERT_THAT(process, Succeeds());
  EXPECT_EQ(process->args, std::vector<std::string>{"a"});
  EXPECT_TRUE(process->terminal);
}

TEST(SpecLoad, NamesTheBundleAndTheFile) {
  const test::TempDir dir;
  EXPECT_THAT(load(dir.path()), FailsSaying("bundle " + dir.path() + " has no config.json"));
  ASSERT_THAT(sys::create_file(dir / "config.json", "{}"), Succeeds());
  EXPECT_THAT(load(dir.path()), FailsSaying(dir.path() + "/config.json: ociVersion is missing"));
  ASSERT_THAT(sys::create_file(dir / "config.json", to_json(default_spec())), Succeeds());
  EXPECT_THAT(load(dir.path()), Succeeds());
}

}  // namespace
}  // namespace nacre::runtime::spec
