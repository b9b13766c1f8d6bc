// SPDX-License-Identifier: Apache-2.0
#include "procfs/view_mounts.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/sys/file.h"
#include "base/sys/mount.h"
#include "procfs/file_table.h"

namespace nacre::procfs {

Result<std::vector<control::ViewMount>> open_view_mounts(int root, const Container& container) {
  std::vector<control::ViewMount> mounts;
  // From its own directory on: its id is looked up anew each time.
  const auto directory = "containers/" + container.id();
  const auto own = TRY(during(directory, sys::open_at(root, directory.c_str(), O_RDONLY | O_DIRECTORY)));
  // The first part of a listing looks all of them up at once; without it they are looked up singly.
  std::array<char, 4096> listing;
  static_cast<void>(::syscall(SYS_getdents64, own.get(), listing.data(), listing.size()));
  for (const auto& row : attach_table()) {
    const std::string path(row.target.substr(row.target.find_last_of('/') + 1));
    auto mount = TRY(during("clone the mount of " + path, sys::clone_mount(own.get(), path.c_str(), false)));
    if (row.writable)
      TRY(during("make " + path + " writable",
                 sys::set_mount_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, false)));
    mounts.push_back({std::string(row.target), std::move(mount)});
  }
  return mounts;
}

}  // namespace nacre::procfs
