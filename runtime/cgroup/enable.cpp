// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/enable.h"

#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/cgroup/tree.h"

namespace nacre::runtime {
namespace {

Result<std::set<std::string>> words_of(const std::string& file) {
  const auto text = TRY(sys::read_file(file));
  std::set<std::string> result;
  for (const auto word : split_blank(text)) result.emplace(word);
  return result;
}

std::unexpected<Error> cannot_enable(const std::string& controller, const std::string& directory, int code) {
  auto text = "enable the cgroup controller \"" + controller + "\" in " + directory;
  if (code == EBUSY)
    text += " (it holds processes itself; move them into a cgroup below, or choose another path)";
  return fail(code, std::move(text));
}

// Enables in one directory what is wanted and not yet enabled.
Result<> enable_in(const std::string& directory, const std::set<std::string>& wanted,
                   const std::set<std::string>& needed) {
  const auto file = directory + "/cgroup.subtree_control";
  const auto available = TRY(words_of(directory + "/cgroup.controllers"));
  const auto enabled = TRY(words_of(file));
  std::string all;
  std::vector<std::string> missing;
  for (const auto& controller : wanted) {
    if (enabled.contains(controller)) continue;
    if (available.contains(controller)) {
      missing.push_back(controller);
      all += (all.empty() ? "+" : " +") + controller;
    } else if (needed.contains(controller)) {
      return bad_input("the cgroup controller \"" + controller + "\" is not available in " + directory +
                       "; enable it in cgroup.subtree_control of the cgroups above");
    }
  }
  if (missing.empty() || sys::write_file(file, all)) return {};
  // One refused controller refuses the whole write.
  for (const auto& controller : missing) {
    const auto written = sys::write_file(file, "+" + controller);
    if (!written && needed.contains(controller))
      return cannot_enable(controller, directory, written.error().code);
  }
  return {};
}

}  // namespace

Result<> enable_controllers(const cgroup::Hierarchy& hierarchy, const std::string& path,
                            const std::set<std::string>& needed, bool accounting) {
  auto wanted = needed;
  if (accounting) wanted.insert({"cpu", "cpuset", "hugetlb", "io", "memory", "pids"});
  auto parents = tree::prefixes(path);
  parents.pop_back();
  parents.insert(parents.begin(), "/");
  if (wanted.empty()) return {};
  for (const auto& parent : parents) TRY(enable_in(hierarchy.directory(parent), wanted, needed));
  return {};
}

}  // namespace nacre::runtime
