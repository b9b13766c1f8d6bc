// SPDX-License-Identifier: Apache-2.0
#include "procfs/view_mounts.h"

#include "procfs/file_table.h"

namespace nacre::procfs {

Result<std::vector<control::ViewMount>> open_view_mounts(sys::MountCloner& cloner,
                                                         const Container& container) {
  std::vector<sys::MountCloner::Wanted> wanted;
  for (const auto& row : attach_table())
    wanted.push_back({std::string(row.target.substr(row.target.find_last_of('/') + 1)), row.writable});
  auto clones = TRY(cloner.clone("containers/" + container.id(), wanted));
  std::vector<control::ViewMount> mounts;
  for (std::size_t i = 0; i < clones.size(); ++i)
    mounts.push_back({std::string(attach_table()[i].target), std::move(clones[i])});
  return mounts;
}

}  // namespace nacre::procfs
