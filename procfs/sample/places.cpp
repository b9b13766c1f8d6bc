// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/places.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/parse.h"
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
struct Wanted {
  std::optional<Place> Places::*place;
  Source source;
};
// Whose files are named by sizes, which are the machine's, and looked for each time.
constexpr std::string_view kEveryCgroup = "cgroup.procs";
constexpr std::array kSources{
    Wanted{&Places::memory, {"memory", "memory", "memory.usage_in_bytes", "memory.stat"}},
    Wanted{&Places::quota, {"cpu", "cpu", "cpu.cfs_quota_us", "cpu.max"}},
    Wanted{&Places::cpuset, {"cpuset", "cpuset", "cpuset.effective_cpus", "cpuset.cpus.effective"}},
    Wanted{&Places::usage, {"cpuacct", "", "cpuacct.usage", "cpu.stat"}},
    Wanted{&Places::io, {"blkio", "io", "blkio.throttle.io_service_bytes", "io.stat"}},
    Wanted{&Places::hugetlb, {"hugetlb", "hugetlb", kEveryCgroup, kEveryCgroup}},
};

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
void find_tasks(const Hierarchies& hierarchies, const PathIn& path_in, Places& places) {
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
    places.tasks = std::move(directory);
    places.tasks_v2 = hierarchy->v2;
    return;
  }
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

// Says the v2 cgroup itself so? The files of one that is being removed go one after the other.
bool has_lost(const std::string& directory, std::string_view controller) {
  const auto text = sys::read_file(directory + "/cgroup.controllers");
  if (!text) return false;
  const auto listed = split_blank(*text);
  return std::ranges::find(listed, controller) == listed.end();
}

bool is_partial(const std::optional<Place>& place) { return place && place->v2 && place->own.empty(); }

Result<Places> locate_by(const Hierarchies& hierarchies, const PathIn& path_in, Places places) {
  for (const auto& [place, source] : kSources) {
    auto& known = places.*place;
    if (known && !is_partial(known)) continue;
    auto found = find_place(hierarchies, source, path_in);
    // That of a cgroup that is going away has less, not more.
    const bool more = found && known && (!found->own.empty() || found->levels.size() > known->levels.size());
    if (!known || more) known = std::move(found);
  }
  if (places.tasks.empty()) find_tasks(hierarchies, path_in, places);
  if (places.pressure.empty()) places.pressure = find_pressure(hierarchies, path_in);
  if (places.tasks.empty()) return fail(ENOENT);
  return places;
}

}  // namespace

std::vector<std::string> Places::own_directories() const {
  std::vector<std::string> directories{tasks};
  for (const auto& [place, source] : kSources)
    if (const auto& known = this->*place; known && !known->own.empty()) directories.push_back(known->own);
  return directories;
}

Places Places::without_lost_controllers() const {
  Places rest = *this;
  for (const auto& [place, source] : kSources) {
    auto& known = rest.*place;
    if (!known || !known->v2 || source.v2_controller.empty() || source.v2_file == kEveryCgroup) continue;
    // Those below lose it first.
    while (!known->levels.empty() && has_lost(known->levels.front(), source.v2_controller)) {
      if (known->levels.front() == known->own) known->own.clear();
      known->levels.erase(known->levels.begin());
    }
    // The mounted part of a hierarchy begins with a cgroup that is no level.
    if (!known->own.empty() && has_lost(known->own, source.v2_controller)) known->own.clear();
  }
  return rest;
}

bool Places::may_grow() const {
  return std::ranges::any_of(kSources,
                             [this](const Wanted& wanted) { return is_partial(this->*wanted.place); });
}

Result<Places> locate(const Hierarchies& hierarchies, std::string_view path, Places known) {
  auto places = locate_by(
      hierarchies, [&](const Hierarchy&) { return std::optional(std::string(path)); }, std::move(known));
  return during("cgroup " + std::string(path), std::move(places));
}

Result<Places> locate(const Hierarchies& hierarchies, const std::vector<cgroup::Membership>& memberships,
                      Places known) {
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
  return locate_by(hierarchies, path_in, std::move(known));
}

}  // namespace nacre::procfs
