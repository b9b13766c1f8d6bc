// SPDX-License-Identifier: Apache-2.0
#include "fs/model/inode_table.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace nacre::fs {
namespace {

constexpr std::uint32_t kRootSlot = 1;
// A table of so many inodes is not worth trimming.
constexpr std::size_t kSmall = 8192;
// Address space, not memory: 2^25 inodes of 64 bytes.
constexpr std::size_t kMaxInodes = std::size_t{1} << 25;
constexpr std::size_t kMaxLinks = kMaxInodes + (kMaxInodes >> 2);

std::size_t identity_bucket(std::uint64_t identity, std::size_t buckets) {
  return (identity * 0x9e3779b97f4a7c15ULL >> 32) & (buckets - 1);
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
              .ino = inode->ino,
              .identity = inode->identity,
              .indexed = inode->indexed,
              .plain = inode->plain,
              .links_elsewhere = inode->links_elsewhere};
}

Result<Location> InodeTable::location(InodeId id) const {
  const std::shared_lock lock(mutex_);
  const Inode* const inode = lookup(id);
  if (inode == nullptr) return fail(ESTALE);
  LinkRef best = inode->first_link;
  for (LinkRef ref = best; ref != 0; ref = links_[ref].next_of_inode) {
    if (!links_[ref].linked) continue;
    if (!links_[best].linked || !links_[ref].aliased) best = ref;
    if (!links_[ref].aliased) break;
  }
  if (best == 0) return fail(ENOENT);
  const Link& link = links_[best];
  Location location{.parent = id_of(link.parent), .linked = link.linked, .aliased = link.aliased, .text = {}};
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
  // Two lower files have the same number only if they are one.
  if (!inode.in_upper && inode.ino != found.ino) return false;
  return inode.identity == found.identity && inode.layer == found.layer;
}

// What was not known by one name may be by another.
void InodeTable::learn_links(Inode& inode, const Found& found) {
  if (inode.indexed || !found.indexed) return;
  inode.indexed = true;
  inode.links_elsewhere = found.links_elsewhere;
}

Result<InodeId> InodeTable::remember(InodeId parent, std::string_view name, const Found& found) {
  const std::unique_lock lock(mutex_);
  if (lookup(parent) == nullptr) return fail(ESTALE);
  if (const LinkRef known = find_link(parent.slot(), name); known != 0) {
    const Slot slot = links_[known].inode;
    if (same_object(inodes_[slot], found)) {
      learn_links(inodes_[slot], found);
      // A directory may have come to, or gone from, a lower layer that was changed.
      if (found.is_dir()) inodes_[slot].lowers = lower_sets_.intern(found.lowers);
      ++inodes_[slot].lookups;
      return id_of(slot);
    }
    // The layers were changed behind our back: the old inode keeps what it has.
    unhash(known);
    links_[known].linked = false;
  }
  Slot slot = found.identity != 0 ? find_identity(found.identity) : 0;
  if (slot != 0 && !same_object(inodes_[slot], found)) {
    remove_identity(slot);
    slot = 0;
  }
  if (slot == 0) slot = allocate_inode(found);
  learn_links(inodes_[slot], found);
  link(parent.slot(), name, slot, found.aliased);
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
    if (live_inodes_ < trim_below_) trim();
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

void InodeTable::moved_to_upper(InodeId id, std::uint64_t identity, std::uint64_t ino, const Location* at) {
  const std::unique_lock lock(mutex_);
  Inode* const inode = lookup(id);
  if (inode == nullptr) return;
  inode->in_upper = true;
  inode->plain = false;
  inode->layer = kUpper;
  inode->ino = ino;
  if (S_ISDIR(inode->type)) return;
  add_identity(id.slot(), identity);
  for (LinkRef ref = inode->first_link; ref != 0 && at != nullptr; ref = links_[ref].next_of_inode)
    links_[ref].aliased =
        id_of(links_[ref].parent) != at->parent || names_.get(links_[ref].name) != at->name();
}

void InodeTable::set_indexed(InodeId id, std::int32_t links_elsewhere) {
  const std::unique_lock lock(mutex_);
  Inode* const inode = lookup(id);
  if (inode == nullptr) return;
  inode->indexed = true;
  inode->links_elsewhere = links_elsewhere;
}

void InodeTable::set_lowers(InodeId dir, const std::vector<LayerIndex>& lowers) {
  const std::unique_lock lock(mutex_);
  if (Inode* const inode = lookup(dir); inode != nullptr) inode->lowers = lower_sets_.intern(lowers);
}

void InodeTable::set_plain(InodeId id) {
  const std::unique_lock lock(mutex_);
  if (Inode* const inode = lookup(id); inode != nullptr) inode->plain = !inode->in_upper;
}

void InodeTable::detach(InodeId id) {
  const std::unique_lock lock(mutex_);
  if (lookup(id) == nullptr) return;
  for (LinkRef ref = inodes_[id.slot()].first_link; ref != 0; ref = links_[ref].next_of_inode) {
    if (links_[ref].linked) unhash(ref);
    links_[ref].linked = false;
  }
  remove_identity(id.slot());
}

std::optional<InodeId> InodeTable::by_identity(std::uint64_t identity) const {
  const std::shared_lock lock(mutex_);
  const Slot slot = find_identity(identity);
  return slot == 0 ? std::nullopt : std::optional(id_of(slot));
}

void InodeTable::name_is_up(InodeId parent, std::string_view name) {
  const std::unique_lock lock(mutex_);
  const LinkRef ref = lookup(parent) == nullptr ? 0 : find_link(parent.slot(), name);
  if (ref != 0) links_[ref].aliased = false;
}

bool InodeTable::is_aliased(InodeId parent, std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const LinkRef ref = lookup(parent) == nullptr ? 0 : find_link(parent.slot(), name);
  return ref != 0 && links_[ref].aliased;
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

// --- records ------------------------------------------------------------------------

InodeTable::Slot InodeTable::allocate_inode(const Found& found) {
  if (live_inodes_ >= identities_.size()) {
    identities_.assign(identities_.size() * 2, 0);
    rehash_identities();
  }
  Slot slot = free_inode_;
  if (slot != 0) {
    free_inode_ = inodes_[slot].next_same_identity;
  } else {
    slot = static_cast<Slot>(inodes_.size());
    inodes_.grow(inodes_.size() + 1);
    inodes_[slot].generation = first_generation_;
    if (inodes_.size() > kSmall) trim_below_ = inodes_.size() / 8;
  }
  Inode& inode = inodes_[slot];
  inode = Inode{.lookups = 0,
                .ino = found.ino,
                .identity = 0,
                .generation = inode.generation,
                .references = 0,
                .first_link = 0,
                .lowers = lower_sets_.intern(found.lowers),
                .next_same_identity = 0,
                .type = static_cast<std::uint16_t>(found.attr.st_mode & S_IFMT),
                .layer = found.layer,
                .links_elsewhere = found.links_elsewhere,
                .in_upper = found.in_upper,
                .indexed = found.indexed,
                .plain = false};
  ++live_inodes_;
  if (found.identity != 0) add_identity(slot, found.identity);
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

// --- identity ---------------------------------------------------------------------

InodeTable::Slot InodeTable::find_identity(std::uint64_t identity) const {
  Slot slot = identities_[identity_bucket(identity, identities_.size())];
  while (slot != 0 && inodes_[slot].identity != identity) slot = inodes_[slot].next_same_identity;
  return slot;
}

void InodeTable::rehash_identities() {
  for (Slot slot = 1; slot < inodes_.size(); ++slot) {
    if (inodes_[slot].type == 0 || inodes_[slot].identity == 0) continue;
    Slot& bucket = identities_[identity_bucket(inodes_[slot].identity, identities_.size())];
    inodes_[slot].next_same_identity = bucket;
    bucket = slot;
  }
}

void InodeTable::add_identity(Slot slot, std::uint64_t identity) {
  remove_identity(slot);
  Slot& bucket = identities_[identity_bucket(identity, identities_.size())];
  inodes_[slot].identity = identity;
  inodes_[slot].next_same_identity = bucket;
  bucket = slot;
}

void InodeTable::remove_identity(Slot slot) {
  const std::uint64_t ino = inodes_[slot].identity;
  if (ino == 0) return;
  Slot* at = &identities_[identity_bucket(ino, identities_.size())];
  while (*at != 0 && *at != slot) at = &inodes_[*at].next_same_identity;
  if (*at == slot) *at = inodes_[slot].next_same_identity;
  inodes_[slot].identity = 0;
  inodes_[slot].next_same_identity = 0;
}

}  // namespace nacre::fs
