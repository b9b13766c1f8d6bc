// SPDX-License-Identifier: Apache-2.0
#include "procfs/view_mounts.h"

#include "base/sys/mount.h"
#include "procfs/file_table.h"

namespace nacre::procfs {

Result<std::vector<control::ViewMount>> open_view_mounts(int root, const Container& container) {
  std::vector<control::ViewMount> mounts;
  for (const auto& row : attach_table()) {
    const auto path = "containers/" + container.id() + "/" + std::string(row.path);
    auto mount = TRY(during("clone the mount of " + path, sys::clone_mount(root, path.c_str(), false)));
    if (row.writable)
      TRY(during("make " + path + " writable",
                 sys::set_mount_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, false)));
    mounts.push_back({std::string(row.target), std::move(mount)});
  }
  return mounts;
}

}  // namespace nacre::procfs
