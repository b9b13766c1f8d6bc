// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <algorithm>
#include <bit>

#include "fs/model/inode_table.h"

namespace nacre::fs {

// The kernel has forgotten most of what it knew: the memory goes back. Slots cannot move, because
// the kernel has their numbers, so the end of the table is cut off behind the last one in use.
void InodeTable::trim() {
  std::size_t inodes = inodes_.size(), links = 1;
  while (inodes_[inodes - 1].type == 0 && inodes > 2) {
    // Ids of slots that come back later are new all the same.
    first_generation_ = std::max(first_generation_, inodes_[inodes - 1].generation);
    --inodes;
  }
  inodes_.shrink(inodes);
  free_inode_ = 0;
  NamePool names;
  std::vector<bool> used(links_.size());
  for (Slot slot = 1; slot < inodes; ++slot) {
    if (inodes_[slot].type == 0) {
      inodes_[slot].next_same_identity = free_inode_;
      free_inode_ = slot;
      continue;
    }
    for (LinkRef ref = inodes_[slot].first_link; ref != 0; ref = links_[ref].next_of_inode) {
      links_[ref].name = names.add(names_.get(links_[ref].name));
      links = std::max<std::size_t>(links, ref + 1);
      used[ref] = true;
    }
  }
  names_.swap(names);
  links_.shrink(links);
  free_link_ = 0;
  for (LinkRef ref = 1; ref < links; ++ref) {
    if (used[ref]) continue;
    links_[ref].next_in_bucket = free_link_;
    free_link_ = ref;
  }
  const auto buckets = std::bit_ceil(std::max<std::size_t>(1024, live_links_ + 1));
  buckets_ = std::vector<LinkRef>(buckets);
  identities_ = std::vector<Slot>(std::bit_ceil(std::max<std::size_t>(1024, live_inodes_ + 1)));
  rehash_links();
  rehash_identities();
  trim_below_ = live_inodes_ / 2;
  ::malloc_trim(0);  // what listings of the large tree have left behind
}

}  // namespace nacre::fs
