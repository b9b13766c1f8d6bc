// SPDX-License-Identifier: Apache-2.0
#include "fs/model/inode_table.h"

#include <cstring>
#include <mutex>

namespace nacre::fs {
namespace {

constexpr std::uint32_t kRootSlot = 1;
// Address space, not memory: 2^25 inodes of 64 bytes.
constexpr std::size_t kMaxInodes = std::size_t{1} << 25;
constexpr std::size_t kMaxLinks = kMaxInodes + (kMaxInodes >> 2);

std::uint32_t hash_of(std::uint32_t parent, std::string_view name) {
  const auto text = std::hash<std::string_view>{}(name);
  const auto mixed = (text ^ parent) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::uint32_t>(mixed >> 32);
}

std::size_t identity_bucket(std::uint64_t upper_ino, std::size_t buckets) {
  return (upper_ino * 0x9e3779b97f4a7c15ULL >> 32) & (buckets - 1);
}

}  // namespace

InodeTable::InodeTable(const Found& root)
    : inodes_(kMaxInodes), links_(kMaxLinks), buckets_(1024), identities_(1024) {
  inodes_.grow(1);
  links_.grow(1);
  const Slot slot = allocate_inode(root);
  inodes_[slot].references = 1;  // the mount's own
}

const InodeTable::Inode* InodeTable::lookup(InodeId id) const {
  if (id.slot() >= inodes_.size() || id.slot() == 0) return nullptr;
  const Inode& inode = inodes_[id.slot()];
  return inode.type != 0 && inode.generation == id.generation() ? &inode : nullptr;
}

InodeTable::Inode* InodeTable::lookup(InodeId id) {
  return const_cast<Inode*>(std::as_const(*this).lookup(id));
}

Result<Node> InodeTable::get(InodeId id) const {
  const std::shared_lock lock(mutex_);
  const Inode* const inode = lookup(id);
  if (inode == nullptr) return fail(ESTALE);
  bool linked = id.slot() == kRootSlot;
  for (LinkRef ref = inode->first_link; ref != 0 && !linked; ref = links_[ref].next_of_inode)
    linked = links_[ref].linked;
  return Node{.id = id,
              .type = inode->type,
              .in_upper = inode->in_upper,
              .linked = linked,
              .layer = inode->layer,
              .lowers = lower_sets_.get(inode->lowers),
              .ino = inode->ino};
}

Result<Location> InodeTable::location(InodeId id) const {
  const std::shared_lock lock(mutex_);
  const Inode* const inode = lookup(id);
  if (inode == nullptr) return fail(ESTALE);
  LinkRef best = inode->first_link;
  for (LinkRef ref = best; ref != 0; ref = links_[ref].next_of_inode) {
    if (!links_[ref].linked) continue;
    best = ref;
    break;
  }
  if (best == 0) return fail(ENOENT);
  const Link& link = links_[best];
  Location location{.parent = id_of(link.parent), .linked = link.linked, .text = {}};
  const auto name = names_.get(link.name);
  std::memcpy(location.text.data(), name.data(), name.size());
  return location;
}

std::optional<InodeId> InodeTable::find(InodeId parent, std::string_view name) const {
  const std::shared_lock lock(mutex_);
  if (lookup(parent) == nullptr) return std::nullopt;
  const LinkRef link = find_link(parent.slot(), name);
  if (link == 0) return std::nullopt;
  return id_of(links_[link].inode);
}

bool InodeTable::same_object(const Inode& inode, const Found& found) const {
  if (inode.type != (found.attr.st_mode & S_IFMT) || inode.in_upper != found.in_upper) return false;
  if (found.is_dir()) return true;
  return found.in_upper ? inode.upper_ino == found.attr.st_ino : inode.layer == found.layer;
}

Result<InodeId> InodeTable::remember(InodeId parent, std::string_view name, const Found& found) {
  const std::unique_lock lock(mutex_);
  if (lookup(parent) == nullptr) return fail(ESTALE);
  if (const LinkRef known = find_link(parent.slot(), name); known != 0) {
    const Slot slot = links_[known].inode;
    if (same_object(inodes_[slot], found)) {
      ++inodes_[slot].lookups;
      return id_of(slot);
    }
    // The layers were changed behind our back: the old inode keeps what it has.
    unhash(known);
    links_[known].linked = false;
  }
  Slot slot = found.in_upper && !found.is_dir() ? find_identity(found.attr.st_ino) : 0;
  if (slot != 0 && !same_object(inodes_[slot], found)) {
    remove_identity(slot);
    slot = 0;
  }
  if (slot == 0) slot = allocate_inode(found);
  link(parent.slot(), name, slot);
  ++inodes_[slot].lookups;
  return id_of(slot);
}

InodeId InodeTable::remember_nameless(const Found& found) {
  const std::unique_lock lock(mutex_);
  const Slot slot = allocate_inode(found);
  ++inodes_[slot].lookups;
  return id_of(slot);
}

std::vector<InodeId> InodeTable::forget(InodeId id, std::uint64_t count) {
  std::vector<InodeId> gone;
  const std::unique_lock lock(mutex_);
  if (Inode* const inode = lookup(id); inode != nullptr) {
    inode->lookups -= std::min(count, inode->lookups);
    release_if_unused(id.slot(), gone);
  }
  return gone;
}

void InodeTable::pin(InodeId id) {
  const std::unique_lock lock(mutex_);
  if (Inode* const inode = lookup(id); inode != nullptr) ++inode->references;
}

std::vector<InodeId> InodeTable::unpin(InodeId id) {
  std::vector<InodeId> gone;
  const std::unique_lock lock(mutex_);
  if (Inode* const inode = lookup(id); inode != nullptr) {
    --inode->references;
    release_if_unused(id.slot(), gone);
  }
  return gone;
}

void InodeTable::moved_to_upper(InodeId id, std::uint64_t upper_ino, std::uint64_t ino) {
  const std::unique_lock lock(mutex_);
  Inode* const inode = lookup(id);
  if (inode == nullptr) return;
  inode->in_upper = true;
  inode->layer = kUpper;
  inode->ino = ino;
  if (!S_ISDIR(inode->type)) add_identity(id.slot(), upper_ino);
}

void InodeTable::remove_name(InodeId parent, std::string_view name) {
  const std::unique_lock lock(mutex_);
  const LinkRef ref = lookup(parent) == nullptr ? 0 : find_link(parent.slot(), name);
  if (ref == 0) return;
  unhash(ref);
  links_[ref].linked = false;
  // The last name stays as the way to the inode's data in a lower layer.
  const Inode& inode = inodes_[links_[ref].inode];
  if (inode.first_link == ref && links_[ref].next_of_inode == 0) return;
  std::vector<InodeId> gone;
  drop_link(ref, gone);
}

void InodeTable::move_name(InodeId parent, std::string_view name, InodeId new_parent,
                           std::string_view new_name) {
  remove_name(new_parent, new_name);
  const std::unique_lock lock(mutex_);
  const LinkRef ref = lookup(parent) == nullptr ? 0 : find_link(parent.slot(), name);
  if (ref == 0 || lookup(new_parent) == nullptr) return;
  std::vector<InodeId> gone;
  unhash(ref);
  rebind(ref, new_parent.slot(), new_name, gone);
}

void InodeTable::exchange_names(InodeId parent, std::string_view name, InodeId other_parent,
                                std::string_view other_name) {
  const std::unique_lock lock(mutex_);
  if (lookup(parent) == nullptr || lookup(other_parent) == nullptr) return;
  const LinkRef one = find_link(parent.slot(), name);
  const LinkRef two = find_link(other_parent.slot(), other_name);
  std::vector<InodeId> gone;
  for (const LinkRef ref : {one, two})
    if (ref != 0) unhash(ref);
  if (one != 0) rebind(one, other_parent.slot(), other_name, gone);
  if (two != 0) rebind(two, parent.slot(), name, gone);
}

std::size_t InodeTable::size() const {
  const std::shared_lock lock(mutex_);
  return live_inodes_;
}

// --- records ------------------------------------------------------------------------

InodeTable::Slot InodeTable::allocate_inode(const Found& found) {
  if (live_inodes_ >= identities_.size()) {
    // Rebuilt at twice the size, from the records.
    identities_.assign(identities_.size() * 2, 0);
    for (Slot slot = 1; slot < inodes_.size(); ++slot) {
      if (inodes_[slot].type == 0 || inodes_[slot].upper_ino == 0) continue;
      Slot& bucket = identities_[identity_bucket(inodes_[slot].upper_ino, identities_.size())];
      inodes_[slot].next_same_identity = bucket;
      bucket = slot;
    }
  }
  Slot slot = free_inode_;
  if (slot != 0) {
    free_inode_ = inodes_[slot].next_same_identity;
  } else {
    slot = static_cast<Slot>(inodes_.size());
    inodes_.grow(inodes_.size() + 1);
  }
  Inode& inode = inodes_[slot];
  inode = Inode{.lookups = 0,
                .ino = found.ino,
                .upper_ino = 0,
                .generation = inode.generation,
                .references = 0,
                .first_link = 0,
                .lowers = lower_sets_.intern(found.lowers),
                .next_same_identity = 0,
                .type = static_cast<std::uint16_t>(found.attr.st_mode & S_IFMT),
                .layer = found.layer,
                .in_upper = found.in_upper};
  ++live_inodes_;
  if (found.in_upper && !found.is_dir()) add_identity(slot, found.attr.st_ino);
  return slot;
}

void InodeTable::release_if_unused(Slot slot, std::vector<InodeId>& gone) {
  // A loop and not recursion into parents: a tree may be deep.
  std::vector<Slot> candidates{slot};
  while (!candidates.empty()) {
    const Slot next = candidates.back();
    candidates.pop_back();
    Inode& inode = inodes_[next];
    if (inode.type == 0 || inode.lookups != 0 || inode.references != 0) continue;
    gone.push_back(id_of(next));
    for (LinkRef ref = inode.first_link; ref != 0;) {
      Link& link = links_[ref];
      const LinkRef after = link.next_of_inode;
      if (link.linked) unhash(ref);
      names_.remove(link.name);
      --inodes_[link.parent].references;
      candidates.push_back(link.parent);
      link.next_in_bucket = free_link_;
      free_link_ = ref;
      --live_links_;
      ref = after;
    }
    remove_identity(next);
    inode.type = 0;
    inode.first_link = 0;
    ++inode.generation;
    inode.next_same_identity = free_inode_;
    free_inode_ = next;
    --live_inodes_;
  }
}

InodeTable::LinkRef InodeTable::allocate_link() {
  ++live_links_;
  if (free_link_ == 0) {
    links_.grow(links_.size() + 1);
    return static_cast<LinkRef>(links_.size() - 1);
  }
  const LinkRef ref = free_link_;
  free_link_ = links_[ref].next_in_bucket;
  return ref;
}

// --- names --------------------------------------------------------------------------

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

void InodeTable::link(Slot parent, std::string_view name, Slot inode) {
  if (live_links_ >= buckets_.size()) grow_buckets();
  const LinkRef ref = allocate_link();
  links_[ref] = Link{.inode = inode,
                     .parent = parent,
                     .name = names_.add(name),
                     .next_of_inode = inodes_[inode].first_link,
                     .next_in_bucket = 0,
                     .hash = hash_of(parent, name),
                     .linked = true};
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
  links_[ref].hash = hash_of(parent, name);
  ++inodes_[parent].references;
  hash_in(ref);
  --inodes_[old_parent].references;
  release_if_unused(old_parent, gone);
}

// --- identity of upper files ------------------------------------------------------------

InodeTable::Slot InodeTable::find_identity(std::uint64_t upper_ino) const {
  Slot slot = identities_[identity_bucket(upper_ino, identities_.size())];
  while (slot != 0 && inodes_[slot].upper_ino != upper_ino) slot = inodes_[slot].next_same_identity;
  return slot;
}

void InodeTable::add_identity(Slot slot, std::uint64_t upper_ino) {
  remove_identity(slot);
  Slot& bucket = identities_[identity_bucket(upper_ino, identities_.size())];
  inodes_[slot].upper_ino = upper_ino;
  inodes_[slot].next_same_identity = bucket;
  bucket = slot;
}

void InodeTable::remove_identity(Slot slot) {
  const std::uint64_t ino = inodes_[slot].upper_ino;
  if (ino == 0) return;
  Slot* at = &identities_[identity_bucket(ino, identities_.size())];
  while (*at != 0 && *at != slot) at = &inodes_[*at].next_same_identity;
  if (*at == slot) *at = inodes_[slot].next_same_identity;
  inodes_[slot].upper_ino = 0;
  inodes_[slot].next_same_identity = 0;
}

}  // namespace nacre::fs
