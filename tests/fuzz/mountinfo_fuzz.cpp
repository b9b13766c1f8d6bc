// SPDX-License-Identifier: Apache-2.0
// /proc/PID/mountinfo, the cgroup hierarchies in it, and /proc/PID/stat.
#include "base/cgroup/hierarchy.h"

#include <cstdint>
#include "base/sys/mount.h"
#include "base/sys/process.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using nacre::fuzz::require;
  const auto text = nacre::fuzz::text_of(data, size);

  const auto mounts = nacre::sys::parse_mountinfo(text);
  const auto hierarchies = nacre::cgroup::Hierarchies::from_mountinfo(text);
  require(mounts || !hierarchies, "no hierarchies in a malformed table");
  if (mounts && hierarchies) {
    require(hierarchies->all().size() <= mounts->size(), "a hierarchy is a mount");
    for (const auto& hierarchy : hierarchies->all())
      require(hierarchy.directory("/a/b").starts_with(hierarchy.mountpoint), "a cgroup is below its mount");
  }
  (void)nacre::sys::parse_process_stat(text);
  return 0;
}
