// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>

#include "runtime/plan/builder.h"
#include "runtime/plan/plan.h"
#include "runtime/spec/defaults.h"
#include "tests/support/golden.h"
#include "tests/support/result_matchers.h"

namespace nacre::runtime::plan {
namespace {

using test::FailsSaying;
using test::Succeeds;

std::vector<cgroup::Hierarchy> hybrid() {
  return {{"/sys/fs/cgroup/cpu,cpuacct", "/", {"cpu", "cpuacct"}, false},
          {"/sys/fs/cgroup/memory", "/", {"memory"}, false},
          {"/sys/fs/cgroup/systemd", "/", {"name=systemd"}, false},
          {"/sys/fs/cgroup/unified", "/", {}, true}};
}

std::vector<cgroup::Hierarchy> unified() {
  return {{"/sys/fs/cgroup", "/", {"cpu", "memory", "pids"}, true}};
}

HostFacts facts(std::vector<cgroup::Hierarchy> hierarchies) {
  return {.bundle = "/bundle",
          .root_given = false,
          .pivot = true,
          .hierarchies = std::move(hierarchies),
          .cgroup_path = "/nacre/box"};
}

spec::Spec plain() {
  auto spec = spec::default_spec();
  spec.process->terminal = false;
  return spec;
}

void drop_namespace(spec::Spec& spec, const std::string& type) {
  std::erase_if(spec.linux_.namespaces, [&](const auto& one) { return one.type == type; });
}

std::string text_of(const Result<Plan>& plan) {
  if (!plan) return plan.error().message() + "\n";
  std::string text = "clone flags " + std::to_string(plan->clone_flags) + "\n";
  for (const auto& join : plan->joins) text += "join " + join.type + " " + join.path + "\n";
  for (std::size_t i = 0; i < plan->sources.size(); ++i)
    text += "source " + std::to_string(i) + " " + plan->sources[i].path +
            (plan->sources[i].recursive ? " recursive" : "") + "\n";
  for (const auto& step : plan->steps) text += detail(step) + "\n";
  return text;
}

TEST(MakePlan, DefaultOnHybridCgroups) {
  EXPECT_TRUE(test::matches_golden(text_of(make_plan(plain(), facts(hybrid()))), "plans/default-hybrid.txt"));
}

TEST(MakePlan, DefaultOnUnifiedCgroups) {
  EXPECT_TRUE(
      test::matches_golden(text_of(make_plan(plain(), facts(unified()))), "plans/default-unified.txt"));
}

TEST(MakePlan, WithoutCgroupNamespaceTheContainersCgroupIsBound) {
  auto spec = plain();
  drop_namespace(spec, "cgroup");
  EXPECT_TRUE(test::matches_golden(text_of(make_plan(spec, facts(hybrid()))), "plans/bound-cgroups.txt"));
}

TEST(MakePlan, EverythingAtOnce) {
  auto spec = spec::default_spec();
  spec.root_readonly = true;
  spec.domainname = "example";
  spec.process->cwd = "/work//./here";
  spec.process->console_height = 24;
  spec.process->console_width = 80;
  spec.process->user.uid = 7;
  spec.mounts.push_back({"/data", "bind", "data", {"rbind", "ro", "rnosuid", "rslave"}});
  spec.mounts.push_back({"/proc/meminfo", "bind", "/fake/meminfo", {"bind"}});
  spec.mounts.push_back({"/run", "tmpfs", "tmpfs", {"tmpcopyup", "noatime", "size=1m"}});
  spec.linux_.namespaces.push_back({"time", ""});
  spec.linux_.namespaces.push_back({"user", "/ns/user"});
  spec.linux_.time_offsets["boottime"] = {-5, 6};
  spec.linux_.sysctl = {{"net.ipv4.ip_forward", "1"}, {"net/ipv4/conf/eth0.1/forwarding", "1"}};
  spec.linux_.devices.push_back({"/dev/null", "c", 1, 3, 0600, 1, 2});
  spec.linux_.devices.push_back({"/dev/pipe", "p", 0, 0, {}, {}, {}});
  spec.linux_.rootfs_propagation = "rshared";
  EXPECT_TRUE(test::matches_golden(text_of(make_plan(spec, facts(unified()))), "plans/everything.txt"));
}

TEST(MakePlan, AnExistingMountNamespaceIsTakenAsItIs) {
  auto spec = plain();
  spec.linux_.namespaces = {{"mount", "/ns/mnt"}, {"uts", ""}};
  EXPECT_EQ(text_of(make_plan(spec, facts(unified()))),
            "clone flags " + std::to_string(CLONE_NEWUTS) +
                "\njoin mount /ns/mnt\nset hostname nacre\nrun hooks\n"
                "join the mount namespace\n");
}

TEST(MakePlan, AGivenRootIsAttachedOnTheBundle) {
  auto own = facts(unified());
  own.root_given = true;
  EXPECT_NE(text_of(make_plan(plain(), own)).find("attach the root on /bundle\n"), std::string::npos);
  EXPECT_NE(text_of(make_plan(plain(), facts(unified()))).find("attach the root on /bundle/rootfs\n"),
            std::string::npos);
}

TEST(MakePlan, TheHostsDevIsLeftAlone) {
  auto spec = plain();
  spec.mounts = {{"/dev/", "bind", "/dev", {"rbind"}}};
  const auto text = text_of(make_plan(spec, facts(unified())));
  EXPECT_EQ(text.find("make device"), std::string::npos);
  EXPECT_EQ(text.find("link /dev"), std::string::npos);
}

TEST(MakePlan, RefusesMountsThatDefeatTheProtection) {
  auto spec = plain();
  spec.mounts.push_back({"/proc/sys", "bind", "/x", {"bind"}});
  EXPECT_THAT(make_plan(spec, facts(unified())),
              FailsSaying("mount on /proc/sys: a bind mount inside /proc is not allowed"));
  spec.mounts.back() = {"/x/../proc/self/attr", "bind", "/x", {"bind"}};
  EXPECT_THAT(make_plan(spec, facts(unified())), FailsSaying("inside /proc"));
  spec.mounts.back() = {"/.//", "tmpfs", "tmpfs", {}};
  EXPECT_THAT(make_plan(spec, facts(unified())), FailsSaying("mount on /: "));
  spec.mounts.back() = {"/x", "bind", "", {"bind"}};
  EXPECT_THAT(make_plan(spec, facts(unified())), FailsSaying("needs a source"));
  spec.mounts.back() = {"/x", "bind", "/y", {"bind", "idmap"}};
  EXPECT_THAT(make_plan(spec, facts(unified())),
              FailsSaying("mount on /x: mount option \"idmap\" is not supported"));
  spec.mounts.back() = {"/x", "", "/y", {}};
  EXPECT_THAT(make_plan(spec, facts(unified())), FailsSaying("type is missing"));
}

TEST(MakePlan, WithoutCgroupsThereIsNothingToMount) {
  const auto text = text_of(make_plan(plain(), facts({})));
  EXPECT_EQ(text.find("/sys/fs/cgroup"), std::string::npos);
}

TEST(CleanPath, IsLexicalAndNeverLeavesTheRoot) {
  EXPECT_EQ(clean_path("/a//b/./c/../d/"), "/a/b/d");
  EXPECT_EQ(clean_path("/../../x"), "/x");
  EXPECT_EQ(clean_path("/.."), "/");
  EXPECT_EQ(clean_path(""), "/");
}

}  // namespace
}  // namespace nacre::runtime::plan
