// SPDX-License-Identifier: Apache-2.0
#include "procfs/view_mounts.h"

#include <fcntl.h>

#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "procfs/file_table.h"

namespace nacre::procfs {

Result<std::vector<control::ViewMount>> open_view_mounts(int root, const Container& container) {
  std::vector<control::ViewMount> mounts;
  // From its own directory on: its id is looked up anew each time.
  const auto directory = "containers/" + container.id();
  const auto own = TRY(during(directory, sys::open_at(root, directory.c_str(), O_PATH | O_DIRECTORY)));
  // A listing looks all files up at once; without one they are looked up singly.
  if (const auto files = sys::open_at(own.get(), "proc", O_PATH | O_DIRECTORY))
    static_cast<void>(sys::list_directory(files->get()));
  for (const auto& row : attach_table()) {
    const std::string path(row.path);
    auto mount = TRY(during("clone the mount of " + path, sys::clone_mount(own.get(), path.c_str(), false)));
    if (row.writable)
      TRY(during("make " + path + " writable",
                 sys::set_mount_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, false)));
    mounts.push_back({std::string(row.target), std::move(mount)});
  }
  return mounts;
}

}  // namespace nacre::procfs
