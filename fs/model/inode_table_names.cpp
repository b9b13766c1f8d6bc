// SPDX-License-Identifier: Apache-2.0
// The names in the table: which inode has which, and in which directory.
#include <mutex>

#include "fs/model/inode_table.h"

namespace nacre::fs {
namespace {

std::uint32_t hash_of(std::uint32_t parent, std::string_view name) {
  const auto text = std::hash<std::string_view>{}(name);
  const auto mixed = (text ^ parent) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::uint32_t>(mixed >> 32);
}

}  // namespace

std::vector<std::string> InodeTable::names_in(InodeId dir) const {
  std::vector<std::string> names;
  const std::shared_lock lock(mutex_);
  for (LinkRef ref : buckets_)
    for (; ref != 0; ref = links_[ref].next_in_bucket)
      if (links_[ref].parent == dir.slot()) names.emplace_back(names_.get(links_[ref].name));
  return names;
}

std::vector<InodeId> InodeTable::all() const {
  std::vector<InodeId> ids;
  const std::shared_lock lock(mutex_);
  for (Slot slot = 1; slot < inodes_.size(); ++slot)
    if (inodes_[slot].type != 0) ids.push_back(id_of(slot));
  return ids;
}

std::vector<InodeId> InodeTable::next_unused(std::size_t most) {
  std::vector<InodeId> ids;
  const std::unique_lock lock(mutex_);
  for (std::size_t looked = 1; looked < inodes_.size() && ids.size() < most; ++looked, ++hand_) {
    if (hand_ >= inodes_.size()) hand_ = kRootInode.slot();
    const Inode& inode = inodes_[hand_];
    if (inode.type != 0 && inode.lookups != 0 && inode.references == 0) ids.push_back(id_of(hand_));
  }
  return ids;
}

std::optional<InodeId> InodeTable::refer(InodeId parent, std::string_view name) {
  const std::unique_lock lock(mutex_);
  const LinkRef link = lookup(parent) == nullptr ? 0 : find_link(parent.slot(), name);
  if (link == 0) return std::nullopt;
  ++inodes_[links_[link].inode].lookups;
  return id_of(links_[link].inode);
}

InodeTable::LinkRef InodeTable::find_link(Slot parent, std::string_view name) const {
  const std::uint32_t hash = hash_of(parent, name);
  LinkRef ref = buckets_[hash & (buckets_.size() - 1)];
  while (ref != 0) {
    const Link& link = links_[ref];
    if (link.hash == hash && link.parent == parent && names_.get(link.name) == name) return ref;
    ref = link.next_in_bucket;
  }
  return 0;
}

void InodeTable::link(Slot parent, std::string_view name, Slot inode, bool aliased) {
  if (live_links_ >= buckets_.size()) grow_buckets();
  const LinkRef ref = allocate_link();
  links_[ref] = Link{.inode = inode,
                     .parent = parent,
                     .name = names_.add(name),
                     .next_of_inode = inodes_[inode].first_link,
                     .next_in_bucket = 0,
                     .hash = hash_of(parent, name),
                     .linked = true,
                     .aliased = aliased};
  inodes_[inode].first_link = ref;
  ++inodes_[parent].references;
  hash_in(ref);
}

void InodeTable::hash_in(LinkRef link) {
  LinkRef& bucket = buckets_[links_[link].hash & (buckets_.size() - 1)];
  links_[link].next_in_bucket = bucket;
  bucket = link;
}

void InodeTable::unhash(LinkRef link) {
  LinkRef* at = &buckets_[links_[link].hash & (buckets_.size() - 1)];
  while (*at != 0 && *at != link) at = &links_[*at].next_in_bucket;
  if (*at == link) *at = links_[link].next_in_bucket;
}

void InodeTable::grow_buckets() {
  buckets_.assign(buckets_.size() * 2, 0);
  rehash_links();
}

void InodeTable::rehash_links() {
  for (Slot slot = 1; slot < inodes_.size(); ++slot) {
    if (inodes_[slot].type == 0) continue;
    for (LinkRef ref = inodes_[slot].first_link; ref != 0; ref = links_[ref].next_of_inode)
      if (links_[ref].linked) hash_in(ref);
  }
}

// Takes an unhashed link away from its inode and its parent.
void InodeTable::drop_link(LinkRef link, std::vector<InodeId>& gone) {
  LinkRef* at = &inodes_[links_[link].inode].first_link;
  while (*at != 0 && *at != link) at = &links_[*at].next_of_inode;
  *at = links_[link].next_of_inode;
  names_.remove(links_[link].name);
  const Slot parent = links_[link].parent;
  links_[link].next_in_bucket = free_link_;
  free_link_ = link;
  --live_links_;
  --inodes_[parent].references;
  release_if_unused(parent, gone);
}

// Gives an unhashed link a new place.
void InodeTable::rebind(LinkRef ref, Slot parent, std::string_view name, std::vector<InodeId>& gone) {
  const Slot old_parent = links_[ref].parent;
  names_.remove(links_[ref].name);
  links_[ref].name = names_.add(name);
  links_[ref].parent = parent;
  links_[ref].aliased = false;  // it was moved in the upper
  links_[ref].hash = hash_of(parent, name);
  ++inodes_[parent].references;
  hash_in(ref);
  --inodes_[old_parent].references;
  release_if_unused(old_parent, gone);
}

}  // namespace nacre::fs
