// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/places.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

using cgroup::Hierarchies;
using cgroup::Hierarchy;
using PathIn = std::function<std::optional<std::string>(const Hierarchy&)>;

// A controller and the file by which a directory shows that it has it.
struct Source {
  std::string_view v1_controller;
  std::string_view v2_controller;  // empty: in every v2 cgroup
  std::string_view v1_file;
  std::string_view v2_file;
};
constexpr Source kMemory{"memory", "memory", "memory.usage_in_bytes", "memory.stat"};
constexpr Source kQuota{"cpu", "cpu", "cpu.cfs_quota_us", "cpu.max"};
constexpr Source kCpuset{"cpuset", "cpuset", "cpuset.effective_cpus", "cpuset.cpus.effective"};
constexpr Source kUsage{"cpuacct", "", "cpuacct.usage", "cpu.stat"};
// Its files are named by sizes, which are the machine's.
constexpr Source kHugetlb{"hugetlb", "hugetlb", "cgroup.procs", "cgroup.procs"};
constexpr Source kIo{"blkio", "io", "blkio.throttle.io_service_bytes", "io.stat"};

const Hierarchy* hierarchy_of(const Hierarchies& hierarchies, const Source& source) {
  const auto* v1 = hierarchies.of(source.v1_controller);
  if (v1 != nullptr && !v1->v2) return v1;
  return source.v2_controller.empty() ? hierarchies.v2() : hierarchies.of(source.v2_controller);
}

// "/a/b" -> "/a" -> "".
std::string_view parent_of(std::string_view path) { return path.substr(0, path.find_last_of('/')); }

std::optional<Place> find_place(const Hierarchies& hierarchies, const Source& source, const PathIn& path_in) {
  const auto* hierarchy = hierarchy_of(hierarchies, source);
  const auto path = hierarchy == nullptr ? std::nullopt : path_in(*hierarchy);
  if (!path) return std::nullopt;
  Place place{.v2 = hierarchy->v2, .own = {}, .levels = {}};
  const std::string file = "/" + std::string(hierarchy->v2 ? source.v2_file : source.v1_file);
  if (const auto own = hierarchy->directory(*path); sys::exists(own + file)) place.own = own;
  for (std::string_view level = *path; level.size() > 1; level = parent_of(level)) {
    auto directory = hierarchy->directory(level);
    // Above the part of the hierarchy that is mounted there is nothing to see.
    if (directory == hierarchy->mountpoint) break;
    const bool is_own = level.size() == path->size();
    // A cgroup has a controller only if those above it have it (cgroup-v2.rst, Top-down Constraint).
    const bool below_has_it = !place.levels.empty();
    if (is_own ? !place.own.empty() : below_has_it || sys::exists(directory + file))
      place.levels.push_back(std::move(directory));
  }
  return place;
}

// Any hierarchy the container's processes are in will do; v1's list threads too.
std::string find_tasks(const Hierarchies& hierarchies, const PathIn& path_in) {
  static constexpr std::array<std::string_view, 5> kPreferred{"memory", "pids", "cpu", "cpuacct", "freezer"};
  std::vector<const Hierarchy*> candidates;
  for (const auto name : kPreferred) candidates.push_back(hierarchies.of(name));
  candidates.push_back(hierarchies.v2());
  for (const auto& hierarchy : hierarchies.all()) candidates.push_back(&hierarchy);
  for (const auto* hierarchy : candidates) {
    if (hierarchy == nullptr) continue;
    const auto path = path_in(*hierarchy);
    if (!path) continue;
    auto directory = hierarchy->directory(*path);
    if (!sys::exists(directory + "/cgroup.procs")) continue;
    // Below the limits `nacre run` has two children: the container's processes are in
    // "payload", the servers of its file system in "fs".
    if (sys::exists(directory + "/payload/cgroup.procs") && sys::exists(directory + "/fs/cgroup.procs"))
      directory += "/payload";
    return directory;
  }
  return {};
}

// Also beside v1 controllers: pressure belongs to the hierarchy and to no controller.
std::string find_pressure(const Hierarchies& hierarchies, const PathIn& path_in) {
  const auto* const v2 = hierarchies.v2();
  const auto path = v2 == nullptr ? std::nullopt : path_in(*v2);
  // The root's files are those of the machine.
  if (!path || path->size() <= 1) return {};
  auto directory = v2->directory(*path);
  return sys::exists(directory + "/cpu.pressure") ? directory : std::string();
}

Result<Places> locate_by(const Hierarchies& hierarchies, const PathIn& path_in) {
  Places places;
  places.memory = find_place(hierarchies, kMemory, path_in);
  places.quota = find_place(hierarchies, kQuota, path_in);
  places.cpuset = find_place(hierarchies, kCpuset, path_in);
  places.usage = find_place(hierarchies, kUsage, path_in);
  places.io = find_place(hierarchies, kIo, path_in);
  places.hugetlb = find_place(hierarchies, kHugetlb, path_in);
  places.tasks = find_tasks(hierarchies, path_in);
  places.pressure = find_pressure(hierarchies, path_in);
  if (places.tasks.empty()) return fail(ENOENT);
  return places;
}

}  // namespace

std::vector<std::string> Places::own_directories() const {
  std::vector<std::string> directories{tasks};
  for (const auto* place : {&memory, &quota, &cpuset, &usage, &io, &hugetlb})
    if (*place && !(*place)->own.empty()) directories.push_back((*place)->own);
  return directories;
}

Result<Places> locate(const Hierarchies& hierarchies, std::string_view path) {
  auto places = locate_by(hierarchies, [&](const Hierarchy&) { return std::optional(std::string(path)); });
  return during("cgroup " + std::string(path), std::move(places));
}

Result<Places> locate(const Hierarchies& hierarchies, const std::vector<cgroup::Membership>& memberships) {
  const auto path_in = [&](const Hierarchy& hierarchy) -> std::optional<std::string> {
    for (const auto& membership : memberships)
      if (hierarchy.v2 ? membership.controllers.empty() : membership.controllers == hierarchy.controllers)
        return membership.path;
    // Controllers of one v1 mount may come in another order.
    for (const auto& membership : memberships)
      if (!hierarchy.v2 && std::ranges::is_permutation(membership.controllers, hierarchy.controllers))
        return membership.path;
    return std::nullopt;
  };
  return locate_by(hierarchies, path_in);
}

}  // namespace nacre::procfs
