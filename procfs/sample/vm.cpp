// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/vm.h"

#include <utility>

#include "base/cgroup/keyed_file.h"
#include "procfs/sample/subtree.h"

namespace nacre::procfs {
namespace {

// v1 puts this before what counts the descendants, too (cgroup-v1/memory.rst §5.2).
constexpr std::string_view kTotal = "total_";

// v1's are pages charged and uncharged, where /proc/vmstat has what was read and written.
bool means_something_else(std::string_view name) { return name == "pgpgin" || name == "pgpgout"; }

// v1 counts where the process was, and not above. What a removed cgroup has counted is lost.
Result<std::uint64_t> oom_kills_below(HotFiles& files, const std::string& directory) {
  std::uint64_t kills = 0;
  TRY(visit_subtree(directory, [&](const std::string& cgroup) -> Result<> {
    if (const auto text = files.read_once(cgroup + "/memory.oom_control"))
      kills += cgroup::value_of(*text, "oom_kill");
    return {};
  }));
  return kills;
}

Result<std::uint64_t> oom_kills(HotFiles& files, const Place& place) {
  if (!place.v2) return oom_kills_below(files, place.own);
  return cgroup::value_of(TRY(files.read(place.own + "/memory.events")), "oom_kill");
}

}  // namespace

VmstatNames::VmstatNames(std::vector<std::string> names) : names_(std::move(names)) {
  for (std::size_t place = 0; place < names_.size(); ++place) places_.emplace(names_[place], place);
}

std::optional<std::size_t> VmstatNames::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

Result<VmSample> sample_vm(HotFiles& files, const Places& places) {
  VmSample sample;
  if (!places.memory || places.memory->own.empty()) return sample;
  const auto& place = *places.memory;
  const auto stat = TRY(files.read(place.own + "/memory.stat"));
  cgroup::for_each_key(stat, [&](std::string_view key, std::uint64_t value) {
    if (!place.v2 && !key.starts_with(kTotal)) return;
    if (!place.v2) key.remove_prefix(kTotal.size());
    if (place.v2 || !means_something_else(key)) sample.events.emplace(key, value);
  });
  sample.events.emplace("oom_kill", TRY(oom_kills(files, place)));
  return sample;
}

}  // namespace nacre::procfs
