// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>

#include "runtime/plan/builder.h"
#include "runtime/plan/mount_options.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::plan {
namespace {

std::string last_part(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

// What tells the kernel which hierarchy is meant: for v1 exactly its controllers.
std::vector<sys::FsParameter> controllers_of(const cgroup::Hierarchy& hierarchy) {
  std::vector<sys::FsParameter> parameters{{"source", "cgroup"}};
  if (hierarchy.v2) return parameters;
  for (const auto& name : hierarchy.controllers) {
    if (name.starts_with("name="))
      parameters.emplace_back("name", name.substr(5));
    else
      parameters.emplace_back(name, "");
  }
  return parameters;
}

// One hierarchy at `target`: mounted anew where the container's own cgroup namespace makes the
// mount begin at its cgroup, bound from the container's cgroup where it has none.
void plan_hierarchy(const spec::Spec& spec, const cgroup::Hierarchy& hierarchy, std::string target,
                    const MountOptions& options, const HostFacts& facts, Plan& plan) {
  if (spec::has_new_namespace(spec, "cgroup")) {
    plan.steps.push_back(MountFilesystem{.type = hierarchy.v2 ? "cgroup2" : "cgroup",
                                         .target = std::move(target),
                                         .parameters = controllers_of(hierarchy),
                                         .attributes = options.set,
                                         .propagation = options.propagation});
    return;
  }
  const auto directory = hierarchy.directory(facts.cgroup_path);
  plan.steps.push_back(BindMount{.source = add_source(plan, directory, false),
                                 .path = directory,
                                 .target = std::move(target),
                                 .set = options.set,
                                 .propagation = options.propagation});
}

}  // namespace

Result<> plan_cgroup_mount(const spec::Spec& spec, const spec::Mount& mount, const HostFacts& facts,
                           Plan& plan) {
  const auto options = TRY(during("mount on " + mount.destination, parse_mount_options(mount.options)));
  const auto target = clean_path(mount.destination);
  if (facts.hierarchies.empty()) return {};
  const bool only_v2 = std::ranges::all_of(facts.hierarchies, &cgroup::Hierarchy::v2);
  if (only_v2) {
    plan_hierarchy(spec, facts.hierarchies.front(), target, options, facts, plan);
    return {};
  }
  if (mount.type == "cgroup2") {
    const auto v2 = std::ranges::find_if(facts.hierarchies, &cgroup::Hierarchy::v2);
    if (v2 == facts.hierarchies.end())
      return bad_input("mount cgroup2 on " + target + ": this machine has cgroup v1 only");
    plan_hierarchy(spec, *v2, target, options, facts, plan);
    return {};
  }

  // v1: a small tmpfs with a directory for each hierarchy, and links for co-mounted controllers.
  plan.steps.push_back(
      MountFilesystem{.type = "tmpfs",
                      .target = target,
                      .parameters = {{"source", "tmpfs"}, {"mode", "755"}, {"size", "1m"}},
                      .attributes = options.set & ~static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY),
                      .propagation = options.propagation});
  for (const auto& hierarchy : facts.hierarchies) {
    const auto directory = last_part(hierarchy.mountpoint);
    plan_hierarchy(spec, hierarchy, target + "/" + directory, options, facts, plan);
    for (const auto& name : hierarchy.controllers)
      if (!hierarchy.v2 && name != directory && !name.starts_with("name="))
        plan.steps.push_back(MakeSymlink{target + "/" + name, directory});
  }
  if ((options.set & MOUNT_ATTR_RDONLY) != 0) plan.steps.push_back(SetReadonly{target});
  return {};
}

}  // namespace nacre::runtime::plan
