// SPDX-License-Identifier: Apache-2.0
#include "procfs/daemon/shared_mounts.h"

#include <fcntl.h>

#include <array>
#include <vector>

#include "base/sys/file.h"
#include "base/sys/mount.h"

namespace nacre::procfs {
namespace {

constexpr std::array<const char*, 2> kTrees{"proc", "sys"};

void detach_all(const std::string& directory) {
  for (const auto* tree : kTrees)
    while (sys::detach_mount(directory + "/" + tree)) {
    }
}

}  // namespace

Result<SharedMounts> SharedMounts::attach(UniqueFd outside, sys::MountCloner& cloner, std::string directory) {
  std::vector<sys::MountCloner::Wanted> wanted;
  for (const auto* tree : kTrees) wanted.push_back({tree});
  const auto mounts = TRY(cloner.clone(".", wanted));
  const auto attach_all = [&]() -> Result<int> {
    detach_all(directory);
    for (std::size_t i = 0; i < kTrees.size(); ++i) {
      const auto place = directory + "/" + kTrees[i];
      TRY(sys::make_directories(place));
      TRY(sys::attach_mount(mounts[i].get(), AT_FDCWD, place.c_str()));
    }
    return 0;
  };
  TRY(during("mount on " + directory, sys::in_mount_namespace(outside.get(), attach_all)));
  return SharedMounts(std::move(outside), std::move(directory));
}

SharedMounts::~SharedMounts() {
  const auto detach = [&]() -> Result<int> {
    detach_all(directory_);
    return 0;
  };
  if (outside_) static_cast<void>(sys::in_mount_namespace(outside_.get(), detach));
}

}  // namespace nacre::procfs
