// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/vm.h"

#include <dirent.h>

#include <utility>

#include "base/cgroup/keyed_file.h"
#include "base/sys/file.h"

namespace nacre::procfs {
namespace {

// v1 puts this before what counts the descendants, too (cgroup-v1/memory.rst §5.2).
constexpr std::string_view kTotal = "total_";

// v1's are pages charged and uncharged, where /proc/vmstat has what was read and written.
bool means_something_else(std::string_view name) { return name == "pgpgin" || name == "pgpgout"; }

// Cgroups may be nested as deep as someone likes; what we walk is bounded.
constexpr int kDepth = 16;

// v1 counts where the process was, and not above. What a removed cgroup has counted is lost.
std::uint64_t oom_kills_below(const std::string& directory, int depth) {
  const auto own = sys::read_file(directory + "/memory.oom_control");
  auto kills = own ? cgroup::value_of(*own, "oom_kill") : 0;
  const auto fd = sys::open_at(AT_FDCWD, directory.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd || depth == 0) return kills;
  const auto entries = sys::list_directory(fd->get());
  if (!entries) return kills;
  for (const auto& entry : *entries)
    if (entry.type == DT_DIR) kills += oom_kills_below(directory + "/" + entry.name, depth - 1);
  return kills;
}

Result<std::uint64_t> oom_kills(HotFiles& files, const Place& place) {
  if (!place.v2) return oom_kills_below(place.own, kDepth);
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
