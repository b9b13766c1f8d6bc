// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan/plan.h"

#include <sys/mount.h>

#include <algorithm>
#include <cstdint>

#include "base/parse.h"
#include "runtime/annotations.h"
#include "runtime/nesting.h"
#include "runtime/plan/builder.h"
#include "runtime/plan/mount_options.h"
#include "runtime/spec/namespaces.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::plan {
namespace {

// The namespaces made by clone3(2). "cgroup" comes after joining the container's cgroup, "time"
// after its offsets are set.
constexpr int kCloned =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;

void plan_namespaces(const spec::Spec& spec, Plan& plan) {
  for (const auto& one : spec.linux_.namespaces) {
    if (one.path.empty()) {
      plan.clone_flags |= static_cast<unsigned>(spec::namespace_flag(one.type) & kCloned);
      continue;
    }
    // A process cannot change its own pid namespace, and the user namespace has to be entered
    // before others are made: both are joined before the first process is cloned. The mount
    // namespace comes last: after it paths mean other things.
    if (one.type != "pid" && one.type != "user" && one.type != "mount")
      plan.steps.push_back(EnterNamespace{plan.joins.size(), one.type});
    plan.joins.push_back({one.type, one.path});
  }
  if (spec::has_new_namespace(spec, "time")) plan.steps.push_back(NewTimeNamespace{spec.linux_.time_offsets});
  if (spec::has_new_namespace(spec, "cgroup")) plan.steps.push_back(NewCgroupNamespace{});
  if (spec::has_new_namespace(spec, "network")) plan.steps.push_back(LoopbackUp{});
  if (!spec.hostname.empty()) plan.steps.push_back(SetHostname{spec.hostname});
  if (!spec.domainname.empty()) plan.steps.push_back(SetDomainname{spec.domainname});
}

// "net.ipv4.ip_forward" and "net/ipv4/conf/eth0.1/x" are both ways to write a key: whichever
// separator comes first is the separator.
std::string sysctl_path(const std::string& key) {
  std::string path = key;
  const auto first = key.find_first_of("./");
  if (first != std::string::npos && key[first] == '.')
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  return path;
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const auto part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (!parts.empty())
      parts.pop_back();
  }
  std::string out;
  for (const auto part : parts) out += "/" + std::string(part);
  return out.empty() ? "/" : out;
}

std::size_t add_source(Plan& plan, std::string path, bool recursive) {
  plan.sources.push_back({std::move(path), recursive});
  return plan.sources.size() - 1;
}

std::string root_path_of(const spec::Spec& spec, const std::string& bundle) {
  const auto& path = spec.root_path;
  return clean_path(path.starts_with('/') ? path : bundle + "/" + path);
}

Result<Plan> make_plan(const spec::Spec& spec, const HostFacts& facts) {
  Plan plan;
  plan_namespaces(spec, plan);
  for (const auto& [key, value] : spec.linux_.sysctl)
    plan.steps.push_back(WriteSysctl{sysctl_path(key), value});
  // A mount namespace that exists is taken as it is.
  if (!spec::has_new_namespace(spec, "mount")) {
    plan.steps.push_back(RunCreateHooks{});
    const auto mount = std::ranges::find(plan.joins, "mount", &JoinNamespace::type);
    plan.steps.push_back(EnterNamespace{static_cast<std::size_t>(mount - plan.joins.begin()), "mount"});
    return plan;
  }

  bool below = true;
  const auto& propagation = spec.linux_.rootfs_propagation;
  const auto root_propagation = propagation_flag(propagation, below);
  // A shared root is made so at the end: until it is entered, what is mounted would reach the host.
  plan.steps.push_back(
      SetTreePropagation{root_propagation == MS_PRIVATE ? root_propagation : std::uint64_t{MS_SLAVE}});
  plan.steps.push_back(AttachRoot{facts.root_given ? facts.bundle : root_path_of(spec, facts.bundle)});
  TRY(plan_mounts(spec, facts, plan));
  plan_devices(spec, plan);
  if (spec.process && clean_path(spec.process->cwd) != "/")
    plan.steps.push_back(MakeDirectory{clean_path(spec.process->cwd)});
  for (const auto& path : spec.linux_.readonly_paths) plan.steps.push_back(ReadonlyPath{clean_path(path)});
  for (const auto& path : spec.linux_.masked_paths) plan.steps.push_back(MaskPath{clean_path(path)});
  if (TRY(allows_nesting(spec)))
    for (const std::string name : {"/proc", "/sys"})
      plan.steps.push_back(CloneUncovered{name, kUncovered + name});
  plan.steps.push_back(AttachView{});
  plan.steps.push_back(RunCreateHooks{});
  if (spec.root_readonly) plan.steps.push_back(ReadonlyRoot{});
  plan.steps.push_back(EnterRoot{facts.pivot});
  if (root_propagation != 0) plan.steps.push_back(SetRootPropagation{root_propagation, below});
  return plan;
}

}  // namespace nacre::runtime::plan
