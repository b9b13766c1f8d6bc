// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup/hierarchy.h"

#include <algorithm>
#include <array>

#include "base/parse.h"
#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::cgroup {
namespace {

// Words of a v1 mount's super options that are not controllers.
constexpr std::array<std::string_view, 8> kFlags{
    "rw", "ro", "xattr", "noprefix", "clone_children", "cpuset_v2_mode", "favordynmods", "none"};

std::vector<std::string> v1_controllers(std::string_view options) {
  std::vector<std::string> controllers;
  for (const auto word : split(options, ',')) {
    if (std::ranges::find(kFlags, word) != kFlags.end() || word.starts_with("release_agent=")) continue;
    controllers.emplace_back(word);
  }
  return controllers;
}

bool holds(const std::vector<std::string>& controllers, std::string_view name) {
  return std::ranges::find(controllers, name) != controllers.end();
}

}  // namespace

std::string_view name_of(Mode mode) {
  switch (mode) {
    case Mode::none: return "none";
    case Mode::legacy: return "v1";
    case Mode::hybrid: return "hybrid";
    case Mode::unified: return "v2";
  }
  return "none";
}

std::string Hierarchy::directory(std::string_view path) const {
  // A mount may show a part of the hierarchy only (a container's own cgroup).
  if (root != "/" && path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/'))
    path.remove_prefix(root.size());
  if (path.empty() || path == "/") return mountpoint;
  return mountpoint + (path.front() == '/' ? "" : "/") + std::string(path);
}

Result<Hierarchies> Hierarchies::from_mountinfo(std::string_view mountinfo) {
  Hierarchies result;
  for (auto& mount : TRY(sys::parse_mountinfo(mountinfo))) {
    const bool v2 = mount.type == "cgroup2";
    if (!v2 && mount.type != "cgroup") continue;
    auto controllers = v2 ? std::vector<std::string>{} : v1_controllers(mount.super_options);
    // The same hierarchy may be mounted more than once; the first mount will do.
    const bool seen = std::ranges::any_of(result.hierarchies_, [&](const Hierarchy& known) {
      return known.v2 == v2 && known.controllers == controllers;
    });
    if (!seen) result.hierarchies_.push_back({mount.mountpoint, mount.root, std::move(controllers), v2});
  }
  return result;
}

Result<Hierarchies> Hierarchies::detect(const std::string& fake_root) {
  auto result = TRY(from_mountinfo(TRY(sys::read_file(fake_root + "/proc/self/mountinfo"))));
  for (auto& hierarchy : result.hierarchies_) {
    hierarchy.mountpoint = fake_root + hierarchy.mountpoint;
    if (!hierarchy.v2) continue;
    const auto controllers = TRY(sys::read_file(hierarchy.mountpoint + "/cgroup.controllers"));
    for (const auto name : split_blank(controllers)) hierarchy.controllers.emplace_back(name);
  }
  return result;
}

Mode Hierarchies::mode() const {
  const bool has_v2 = v2() != nullptr;
  const bool has_v1 = std::ranges::any_of(hierarchies_, [](const Hierarchy& h) { return !h.v2; });
  if (has_v2) return has_v1 ? Mode::hybrid : Mode::unified;
  return has_v1 ? Mode::legacy : Mode::none;
}

std::vector<std::string> Hierarchies::mountpoints() const {
  std::vector<std::string> paths;
  for (const auto& hierarchy : hierarchies_) paths.push_back(hierarchy.mountpoint);
  return paths;
}

const Hierarchy* Hierarchies::of(std::string_view controller) const {
  const auto found = std::ranges::find_if(
      hierarchies_, [&](const Hierarchy& h) { return holds(h.controllers, controller); });
  return found == hierarchies_.end() ? nullptr : &*found;
}

const Hierarchy* Hierarchies::v2() const {
  const auto found = std::ranges::find_if(hierarchies_, &Hierarchy::v2);
  return found == hierarchies_.end() ? nullptr : &*found;
}

Result<std::vector<Membership>> parse_memberships(std::string_view text) {
  std::vector<Membership> memberships;
  for (const auto line : split(text, '\n')) {
    if (line.empty()) continue;
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos || line.size() == second + 1 || line[second + 1] != '/')
      return bad_input("malformed /proc/PID/cgroup line: " + std::string(line));
    Membership membership;
    for (const auto name : split(line.substr(first + 1, second - first - 1), ','))
      membership.controllers.emplace_back(name);
    membership.path = line.substr(second + 1);
    memberships.push_back(std::move(membership));
  }
  return memberships;
}

Result<std::string> path_for(const std::vector<Membership>& memberships, std::string_view controller) {
  const Membership* v2 = nullptr;
  for (const auto& membership : memberships) {
    if (!controller.empty() && holds(membership.controllers, controller)) return membership.path;
    if (membership.controllers.empty()) v2 = &membership;
  }
  if (v2 == nullptr) return fail(ENOENT, "no cgroup for controller " + std::string(controller));
  return v2->path;
}

}  // namespace nacre::cgroup
