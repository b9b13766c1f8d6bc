// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/manager.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/cgroup/keyed_file.h"
#include "base/parse.h"
#include "base/scope_exit.h"
#include "base/sys/file.h"
#include "runtime/cgroup/enable.h"
#include "runtime/cgroup/settings.h"
#include "runtime/cgroup/tree.h"

namespace nacre::runtime {
namespace {

constexpr std::chrono::seconds kRemovePatience{2};
constexpr int kMakeAttempts = 100;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// cpuset (v1) gives a new cgroup no CPU and no memory node, and no process can enter it then.
Result<> inherit_cpuset(const cgroup::Hierarchy& hierarchy, const std::string& path) {
  const auto child = hierarchy.directory(path);
  const auto parent = hierarchy.directory(parent_of(path));
  for (const std::string file : {"/cpuset.cpus", "/cpuset.mems"}) {
    const auto own = TRY(sys::read_file(child + file));
    if (!trim(own).empty()) continue;
    const auto inherited = TRY(sys::read_file(parent + file));
    if (!trim(inherited).empty()) TRY(sys::write_file(child + file, trim(inherited)));
  }
  return {};
}

bool has_controller(const cgroup::Hierarchy& hierarchy, std::string_view name) {
  return std::ranges::find(hierarchy.controllers, name) != hierarchy.controllers.end();
}

// Makes the directories of one hierarchy from the top down, noting the new ones in `made`.
Result<> make_in(const cgroup::Hierarchy& hierarchy, const std::string& path,
                 std::vector<std::string>& made) {
  for (const auto& prefix : tree::prefixes(path)) {
    const auto directory = hierarchy.directory(prefix);
    if (::mkdir(directory.c_str(), 0755) == 0)
      made.push_back(directory);
    else if (errno != EEXIST)
      return fail(errno, "make cgroup " + directory);
    if (!hierarchy.v2 && has_controller(hierarchy, "cpuset")) TRY(inherit_cpuset(hierarchy, prefix));
  }
  return {};
}

CgroupFacts facts_of(const cgroup::Hierarchies& hierarchies, const std::string& path) {
  const auto find = [&hierarchies](std::string_view controller) {
    return controller.empty() ? hierarchies.v2() : hierarchies.of(controller);
  };
  return {
      .on_v2 = [find](std::string_view controller) -> std::optional<bool> {
        const auto* hierarchy = find(controller);
        return hierarchy == nullptr ? std::nullopt : std::optional(hierarchy->v2);
      },
      .read = [find, path](std::string_view controller, std::string_view file) -> std::optional<std::string> {
        const auto* hierarchy = find(controller);
        if (hierarchy == nullptr) return std::nullopt;
        const auto text = sys::read_file(hierarchy->directory(path) + "/" + std::string(file));
        return text ? std::optional(std::string(trim(*text))) : std::nullopt;
      }};
}

// "memory limit 600000: write "600000" to /sys/…/memory.max: Device or resource busy (…)"
std::unexpected<Error> refused(const Setting& setting, const std::string& file, const Error& error) {
  std::string text = setting.limit + ": ";
  if (error.code == ENOENT)
    text += "this kernel has no " + file + "; leave the limit out or use a kernel that has it";
  else
    text +=
        Error{error.code, error.context}.message() + (setting.fix.empty() ? "" : " (" + setting.fix + ")");
  return bad_input(std::move(text));
}

Result<> write_settings(const std::vector<Setting>& settings, const cgroup::Hierarchies& hierarchies,
                        const std::string& path) {
  std::vector<Setting> again;
  for (const auto& setting : settings) {
    const auto* hierarchy =
        setting.controller.empty() ? hierarchies.v2() : hierarchies.of(setting.controller);
    const auto file = hierarchy->directory(path) + "/" + setting.file;
    const auto written = sys::write_file(file, setting.value);
    if (written) continue;
    if (written.error().code == ENOENT && setting.optional) continue;
    if (written.error().code == EINVAL && setting.depends_on_later) {
      again.push_back(setting);
      again.back().depends_on_later = false;
      continue;
    }
    return refused(setting, file, written.error());
  }
  return again.empty() ? Result<>{} : write_settings(again, hierarchies, path);
}

}  // namespace

std::string cgroup_parent() {
  const char* const parent = std::getenv("NACRE_CGROUP_PARENT");
  return parent != nullptr && *parent != '\0' ? parent : "/nacre";
}

CgroupManager::CgroupManager(cgroup::Hierarchies hierarchies, std::string path)
    : hierarchies_(std::move(hierarchies)), path_(std::move(path)) {}

Result<CgroupManager> CgroupManager::open(const cgroup::Hierarchies& hierarchies, std::string path) {
  TRY(tree::check_path(path));
  // In a container's own cgroup mount, the mount point can be a cgroup with a longer path.
  for (const auto& hierarchy : hierarchies.all())
    if (hierarchy.directory(path) == hierarchy.mountpoint)
      return bad_input("cgroup " + path + ": is the root of " + hierarchy.mountpoint +
                       "; choose a path below it");
  return CgroupManager(hierarchies, std::move(path));
}

Result<CgroupManager> CgroupManager::create(const cgroup::Hierarchies& hierarchies, std::string path,
                                            const spec::Resources& resources,
                                            const std::function<Result<>()>& claim) {
  auto manager = TRY(open(hierarchies, std::move(path)));
  if (hierarchies.mode() == cgroup::Mode::none)
    return bad_input("cgroup " + manager.path_ +
                     ": no cgroup file system is mounted; mount one on /sys/fs/cgroup");
  if (const auto pids = TRY(manager.pids()); !pids.empty())
    return fail(EBUSY, "cgroup " + manager.path_ + " already has processes in it (" +
                           std::to_string(pids.front()) +
                           "); remove the container they belong to or choose another path");
  if (claim) TRY(claim());
  std::vector<std::string> made;
  ScopeExit undo{[&] {
    for (auto directory = made.rbegin(); directory != made.rend(); ++directory) ::rmdir(directory->c_str());
  }};
  auto complete = manager.make(resources, made);
  // Until the cgroup is in it, a parent may be removed again by those who leave it, see remove().
  for (int left = kMakeAttempts; !complete && complete.error().code == ENOENT && left > 0; --left)
    complete = manager.make(resources, made);
  TRY(std::move(complete));
  undo.dismiss();
  return manager;
}

Result<> CgroupManager::make(const spec::Resources& resources, std::vector<std::string>& made) {
  // Nonsense is found before anything is made.
  const auto settings = TRY(settings_for(resources, facts_of(hierarchies_, path_)));
  for (const auto& hierarchy : hierarchies_.all()) {
    TRY(make_in(hierarchy, path_, made));
    if (!hierarchy.v2) continue;
    std::set<std::string> needed;
    for (const auto& setting : settings)
      if (has_controller(hierarchy, setting.controller)) needed.insert(setting.controller);
    const bool alone = hierarchies_.mode() == cgroup::Mode::unified;
    TRY(enable_controllers(hierarchy, path_, needed, alone));
  }
  return apply(resources);
}

Result<> CgroupManager::apply(const spec::Resources& resources) {
  const auto settings = TRY(settings_for(resources, facts_of(hierarchies_, path_)));
  TRY(write_settings(settings, hierarchies_, path_));
  if (resources.devices.empty()) return {};
  return apply_devices(resources.devices);
}

Result<> CgroupManager::join(pid_t pid, pid_t companion) {
  const auto files = procs_files();
  if (files.empty()) return fail(ENOENT, "cgroup " + path_);
  const auto text = std::to_string(pid);
  for (const auto& file : files) {
    auto written = sys::write_file(file, text);
    if (!written && written.error().code == EBUSY && companion > 0)
      written = sys::write_file(TRY(procs_file_of(companion)), text);
    TRY(during("process " + text + " into its cgroup", std::move(written)));
  }
  return {};
}

Result<std::string> CgroupManager::procs_file_of(pid_t companion) const {
  const auto memberships =
      TRY(cgroup::parse_memberships(TRY(sys::read_file("/proc/" + std::to_string(companion) + "/cgroup"))));
  const auto path = TRY(cgroup::path_for(memberships, ""));
  if (!path.starts_with(path_ + "/")) return fail(EBUSY, "cgroup " + path);
  return hierarchies_.v2()->directory(path) + "/cgroup.procs";
}

std::vector<std::string> CgroupManager::directories() const {
  std::vector<std::string> result;
  for (const auto& hierarchy : hierarchies_.all()) {
    auto directory = hierarchy.directory(path_);
    if (sys::exists(directory)) result.push_back(std::move(directory));
  }
  return result;
}

std::vector<std::string> CgroupManager::procs_files() const {
  auto files = directories();
  for (auto& file : files) file += "/cgroup.procs";
  return files;
}

Result<std::vector<pid_t>> CgroupManager::pids() const {
  std::set<pid_t> pids;
  for (const auto& directory : directories())
    for (const auto pid : TRY(tree::processes(directory)))
      if (pid > 0) pids.insert(pid);
  return std::vector<pid_t>(pids.begin(), pids.end());
}

Result<> CgroupManager::remove() {
  Result<> first;
  for (const auto& hierarchy : hierarchies_.all()) {
    auto removed = tree::remove(hierarchy.directory(path_), kRemovePatience);
    if (!removed && first) first = std::move(removed);
    // The last one out. While others are in it, the kernel refuses.
    if (parent_of(path_) == cgroup_parent()) ::rmdir(hierarchy.directory(cgroup_parent()).c_str());
  }
  return first;
}

Result<bool> CgroupManager::oom_killed() const {
  const auto* hierarchy = hierarchies_.of("memory");
  if (hierarchy == nullptr) return false;
  // v1 counts in the cgroup of the victim only, so all those below are asked.
  const std::string file = hierarchy->v2 ? "/memory.events" : "/memory.oom_control";
  for (const auto& directory : TRY(tree::descendants(hierarchy->directory(path_)))) {
    const auto text = sys::read_file(directory + file);
    if (text && cgroup::value_of(*text, "oom_kill") > 0) return true;
  }
  return false;
}

}  // namespace nacre::runtime
