// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "runtime/plan/builder.h"
#include "runtime/plan/mount_options.h"
#include "runtime/spec/validate.h"

namespace nacre::runtime::plan {
namespace {

// The files of /proc that a user may replace by a bind mount, as runc has them: an arbitrary one
// would defeat the confinement that is set up through /proc (CVE-2019-16884).
constexpr std::array<std::string_view, 10> kReplaceable{"/proc/cpuinfo",
                                                        "/proc/diskstats",
                                                        "/proc/meminfo",
                                                        "/proc/stat",
                                                        "/proc/swaps",
                                                        "/proc/uptime",
                                                        "/proc/loadavg",
                                                        "/proc/slabinfo",
                                                        "/proc/sys/kernel/ns_last_pid",
                                                        "/proc/sys/crypto/fips_enabled"};

bool inside_proc(std::string_view path) { return path.starts_with("/proc/"); }

Result<> plan_bind(const spec::Mount& mount, const HostFacts& facts, const MountOptions& options,
                   Plan& plan) {
  const auto target = clean_path(mount.destination);
  if (mount.source.empty()) return bad_input("mount on " + target + ": a bind mount needs a source");
  const bool replaces = std::ranges::find(kReplaceable, target) != kReplaceable.end();
  if (inside_proc(target) && !replaces)
    return bad_input("mount on " + target + ": a bind mount inside /proc is not allowed");
  const auto source = mount.source.starts_with('/') ? mount.source : facts.bundle + "/" + mount.source;
  plan.steps.push_back(BindMount{.source = add_source(plan, source, options.recursive_bind),
                                 .path = mount.source,
                                 .target = target,
                                 .set = options.set,
                                 .clear = options.clear,
                                 .set_below = options.set_below,
                                 .clear_below = options.clear_below,
                                 .propagation = options.propagation,
                                 .propagation_below = options.propagation_below,
                                 .inside_proc = replaces});
  return {};
}

Result<> plan_filesystem(const spec::Spec& spec, const spec::Mount& mount, MountOptions options, Plan& plan) {
  const auto target = clean_path(mount.destination);
  if (mount.type.empty()) return bad_input("mount on " + target + ": type is missing");
  if (inside_proc(target) && mount.type != "proc" && mount.type != "tmpfs" && mount.type != "binfmt_misc")
    return bad_input("mount on " + target + ": a mount of type " + mount.type +
                     " inside /proc is not allowed");
  MountFilesystem step{.type = mount.type,
                       .target = target,
                       .parameters = std::move(options.parameters),
                       .attributes = options.set | options.set_below,
                       .propagation = options.propagation,
                       .real_directory = mount.type == "proc" || mount.type == "sysfs",
                       .copy_up = options.copy_up};
  if (mount.type == "tmpfs" && options.copy_up && (step.attributes & MOUNT_ATTR_RDONLY) != 0)
    step.copy_up = false;
  // Without a network namespace of our own in a user namespace a new sysfs is refused.
  if (mount.type == "sysfs" && spec::has_namespace(spec, "user"))
    step.fallback = add_source(plan, "/sys", true);
  // What `mount` and `df` show in the first column.
  step.parameters.insert(step.parameters.begin(),
                         {"source", mount.source.empty() ? mount.type : mount.source});
  plan.steps.push_back(std::move(step));
  return {};
}

}  // namespace

Result<> plan_mounts(const spec::Spec& spec, const HostFacts& facts, Plan& plan) {
  for (const auto& mount : spec.mounts) {
    if (clean_path(mount.destination) == "/")
      return bad_input("mount on /: use root.path for the container's root");
    auto options = TRY(during("mount on " + mount.destination, parse_mount_options(mount.options)));
    if (options.bind || mount.type == "bind") {
      TRY(plan_bind(mount, facts, options, plan));
    } else if (mount.type == "cgroup" || mount.type == "cgroup2") {
      TRY(plan_cgroup_mount(spec, mount, facts, plan));
    } else {
      TRY(plan_filesystem(spec, mount, std::move(options), plan));
    }
  }
  return {};
}

}  // namespace nacre::runtime::plan
