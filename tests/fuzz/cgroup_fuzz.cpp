// SPDX-License-Identifier: Apache-2.0
// /proc/PID/cgroup and the files of a cgroup.
#include "base/cgroup/hierarchy.h"

#include <cstdint>
#include "base/cgroup/keyed_file.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nacre::fuzz::require;
  const auto text = nacre::fuzz::text_of(data, size);
  namespace cgroup = nacre::cgroup;

  if (const auto memberships = cgroup::parse_memberships(text)) {
    for (const auto* controller : {"memory", "cpu", ""})
      if (const auto path = cgroup::path_for(*memberships, controller))
        require(path->starts_with('/'), "a cgroup's path is absolute");
  }
  cgroup::for_each_key(text, [&](std::string_view key, std::uint64_t) {
    require(key.find_first_of(" \n") == key.npos, "a key is one word");
  });
  (void)cgroup::value_of(text, "file");
  (void)cgroup::parse_limit(text);
  if (const auto quota = cgroup::parse_cpu_max(text)) require(quota->period > 0, "a period is never zero");
  (void)cgroup::parse_io_stat(text);
  const auto half = text.size() / 2;
  (void)cgroup::parse_blkio(text.substr(0, half), text.substr(half));
  return 0;
}
