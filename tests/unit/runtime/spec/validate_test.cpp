// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec/validate.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

#include "runtime/spec/defaults.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::spec {
namespace {

using test::FailsSaying;
using test::Succeeds;

Result<> changed(const std::function<void(Spec&)>& change) {
  auto spec = default_spec();
  change(spec);
  return validate(spec);
}

TEST(SpecValidate, TheDefaultIsValid) { EXPECT_THAT(validate(default_spec()), Succeeds()); }

TEST(SpecValidate, Namespaces) {
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.namespaces.push_back({"warp", ""});
              }),
              FailsSaying("linux.namespaces[6].type: unknown namespace \"warp\""));
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.namespaces.push_back({"pid", ""});
              }),
              FailsSaying("a second \"pid\" namespace"));
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.namespaces = {{"pid", ""}};
              }),
              FailsSaying("needs a mount namespace"));
  EXPECT_THAT(changed([](Spec& s) { s.linux_.namespaces[0].path = "ns"; }), FailsSaying("must be absolute"));
}

TEST(SpecValidate, UsersAndMappings) {
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.uid_mappings = {{0, 1, 2}};
              }),
              FailsSaying("need a user namespace"));
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.namespaces.push_back({"user", ""});
              }),
              FailsSaying("needs linux.uidMappings"));
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.namespaces.push_back({"user", ""});
                s.linux_.uid_mappings = {{0, 1, 0}};
                s.linux_.gid_mappings = {{0, 1, 1}};
              }),
              FailsSaying("a size of 0"));
}

TEST(SpecValidate, OnlySettingsOfOwnNamespacesMayChange) {
  const auto sysctl = [](const std::string& key, const char* without = "") {
    return changed([&](Spec& s) {
      s.linux_.sysctl = {{key, "1"}};
      std::erase_if(s.linux_.namespaces, [&](const auto& n) { return n.type == without; });
    });
  };
  for (const char* key : {"net.ipv4.ip_forward", "net/core/somaxconn", "kernel.shm_rmid_forced",
                          "fs.mqueue.msg_max", "kernel.domainname"})
    EXPECT_THAT(sysctl(key), Succeeds()) << key;
  for (const char* key :
       {"kernel.core_pattern", "vm.swappiness", "kernel.panic", "fs.file-max", "kernel.shmmaxx"})
    EXPECT_THAT(sysctl(key), FailsSaying("belongs to no namespace")) << key;
  for (const char* key :
       {"", "/proc", "net..x", "net/../kernel/x", "net.x=1+kernel.core_pattern", "net.x\nkernel.y"})
    EXPECT_THAT(sysctl(key), FailsSaying("is not the name of a setting")) << key;
  EXPECT_THAT(sysctl("net.ipv4.ip_forward", "network"), FailsSaying("needs a network namespace"));
  EXPECT_THAT(sysctl("kernel.msgmax", "ipc"), FailsSaying("needs a ipc namespace"));
  EXPECT_THAT(sysctl("user.max_user_namespaces"), FailsSaying("needs a user namespace"));
  EXPECT_THAT(sysctl("kernel.hostname"), FailsSaying("use \"hostname\""));
}

TEST(SpecValidate, TimeOffsets) {
  const auto offset = [](const char* clock, std::uint32_t nanoseconds, bool own) {
    return changed([&](Spec& s) {
      s.linux_.time_offsets[clock] = {0, nanoseconds};
      if (own) s.linux_.namespaces.push_back({"time", ""});
    });
  };
  EXPECT_THAT(offset("boottime", 999'999'999, true), Succeeds());
  EXPECT_THAT(offset("boottime", 1'000'000'000, true), FailsSaying("less than 1000000000"));
  EXPECT_THAT(offset("realtime", 0, true), FailsSaying("unknown clock"));
  EXPECT_THAT(offset("boottime", 0, false), FailsSaying("need a new time namespace"));
}

TEST(SpecValidate, TheRest) {
  EXPECT_THAT(changed([](Spec& s) { s.oci_version = "2.0.0"; }), FailsSaying("not supported"));
  EXPECT_THAT(changed([](Spec& s) { s.process.reset(); }), FailsSaying("process is missing"));
  EXPECT_THAT(changed([](Spec& s) { s.process->args = {""}; }), FailsSaying("process.args"));
  EXPECT_THAT(changed([](Spec& s) { s.process->cwd = ""; }), FailsSaying("process.cwd"));
  EXPECT_THAT(changed([](Spec& s) { s.process->oom_score_adj = 1001; }), FailsSaying("process.oomScoreAdj"));
  EXPECT_THAT(changed([](Spec& s) {
                s.mounts.push_back({"x", "tmpfs", "", {}});
              }),
              FailsSaying("mounts[7].destination must be absolute"));
  EXPECT_THAT(changed([](Spec& s) {
                s.hooks.poststop = {{"/x", {}, {}, 0}};
              }),
              FailsSaying("hooks.poststop[0].timeout"));
  EXPECT_THAT(changed([](Spec& s) {
                s.linux_.devices = {{"/dev/x", "z", 0, 0, {}, {}, {}}};
              }),
              FailsSaying("linux.devices[0].type"));
  EXPECT_THAT(changed([](Spec& s) { s.linux_.masked_paths = {"x"}; }), FailsSaying("linux.maskedPaths"));
  EXPECT_THAT(changed([](Spec& s) { s.linux_.rootfs_propagation = "x"; }),
              FailsSaying("linux.rootfsPropagation"));
  EXPECT_THAT(changed([](Spec& s) {
                std::erase_if(s.linux_.namespaces, [](const auto& n) { return n.type == "uts"; });
              }),
              FailsSaying("hostname needs a uts namespace"));
}

}  // namespace
}  // namespace nacre::runtime::spec
