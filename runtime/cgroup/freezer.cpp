// SPDX-License-Identifier: Apache-2.0
#include "runtime/cgroup/freezer.h"

#include "base/cgroup/keyed_file.h"
#include "base/parse.h"
#include "base/sys/file.h"
#include "runtime/cgroup/tree.h"

namespace nacre::runtime::freezer {
namespace {

constexpr std::chrono::seconds kPatience{10};

Result<> thaw_v1_below(const std::string& directory) {
  // The deepest come first and a frozen parent keeps its children frozen: what counts is the
  // state of their own, which is what is written.
  for (const auto& group : TRY(tree::descendants(directory))) {
    const auto written = sys::write_file(group + "/freezer.state", "THAWED");
    if (!written && written.error().code != ENOENT) return written;
  }
  return {};
}

Result<std::string> read_or_empty(const std::string& path) {
  auto text = sys::read_file(path);
  if (!text && (text.error().code == ENOENT || text.error().code == ENODEV)) return std::string{};
  return text;
}

Result<bool> events_say_frozen(const std::string& directory) {
  return cgroup::value_of(TRY(read_or_empty(directory + "/cgroup.events")), "frozen") == 1;
}

}  // namespace

Result<> set_v1(const std::string& directory, bool frozen) {
  if (!frozen) return thaw_v1_below(directory);
  const auto file = directory + "/freezer.state";
  Result<> written;
  const bool done = tree::wait_until(kPatience, [&] {
    // A process that forks while it freezes leaves the state at FREEZING: writing again catches
    // the child.
    written = sys::write_file(file, "FROZEN");
    const auto state = sys::read_file(file);
    if (!state && written) written = std::unexpected(state.error());
    return !written || trim(*state) == "FROZEN";
  });
  if (done && written) return {};
  static_cast<void>(thaw_v1_below(directory));
  if (!written) return written;
  return fail(ETIMEDOUT, "freeze cgroup " + directory);
}

Result<> set_v2(const std::string& directory, bool frozen) {
  TRY(sys::write_file(directory + "/cgroup.freeze", frozen ? "1" : "0"));
  Result<bool> now = false;
  if (tree::wait_until(kPatience, [&] {
        now = events_say_frozen(directory);
        return !now || *now == frozen;
      })) {
    if (!now) return std::unexpected(now.error());
    return {};
  }
  if (frozen) static_cast<void>(sys::write_file(directory + "/cgroup.freeze", "0"));
  return fail(ETIMEDOUT, std::string(frozen ? "freeze" : "thaw") + " cgroup " + directory);
}

Result<bool> is_frozen_v1(const std::string& directory) {
  const auto text = TRY(read_or_empty(directory + "/freezer.state"));
  return trim(text) == "FROZEN" || trim(text) == "FREEZING";
}

Result<bool> is_frozen_v2(const std::string& directory) {
  const auto text = TRY(read_or_empty(directory + "/cgroup.freeze"));
  return trim(text) == "1";
}

}  // namespace nacre::runtime::freezer
