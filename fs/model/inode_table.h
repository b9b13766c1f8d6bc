// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fs/model/flat_array.h"
#include "fs/model/layer_sets.h"
#include "fs/model/name_pool.h"
#include "fs/model/types.h"

namespace nacre::fs {

// What a name was found to be in the layers; input of InodeTable::remember().
struct Found {
  struct stat attr {};    // of the topmost layer that has it
  std::uint64_t ino = 0;  // the number users see
  bool in_upper = false;
  LayerIndex layer = kUpper;       // not directories: the layer of the data
  std::vector<LayerIndex> lowers;  // directories: the lower layers merged here, topmost first
  bool is_dir() const { return S_ISDIR(attr.st_mode); }
};

// A copy of what the table knows of an inode.
struct Node {
  InodeId id;
  mode_t type = 0;  // S_IFMT bits
  bool in_upper = false;
  bool linked = false;  // it has a name in the tree (the root has none, but counts)
  LayerIndex layer = kUpper;
  std::span<const LayerIndex> lowers;
  std::uint64_t ino = 0;

  bool is_dir() const { return S_ISDIR(type); }
  bool merged() const { return lowers.size() + (in_upper ? 1 : 0) > 1; }
  // A directory that a rename can move: nothing of it lies below the upper.
  bool pure_upper() const { return in_upper && lowers.empty(); }
};

// Where an inode's name is. The same place in every layer that holds it.
struct Location {
  InodeId parent;
  bool linked = false;  // false: it was removed; the place is still right in lower layers
  std::array<char, 256> text{};
  Name name() const { return text.data(); }
  bool operator==(const Location& other) const {
    return parent == other.parent && linked == other.linked && std::string_view(name()) == other.name();
  }
};

// Every inode the kernel remembers, and the names we have seen of them. Flat arrays of
// plain records that refer to each other by number only.
//
// An inode lives while the kernel holds a reference, a handle pins it, or another inode has
// its name in it. Thread-safe; the lock inside is a leaf (docs/LOCKING.md) and no I/O
// happens under it.
class InodeTable {
 public:
  explicit InodeTable(const Found& root);

  // ESTALE for an id that is no longer, or never was.
  Result<Node> get(InodeId id) const;
  // ENOENT for the root and for what never had a name (O_TMPFILE).
  Result<Location> location(InodeId id) const;
  std::optional<InodeId> find(InodeId parent, std::string_view name) const;

  // The inode of a name just found in the layers, made if need be, with one more reference
  // of the kernel. Names of one upper file lead to one inode.
  Result<InodeId> remember(InodeId parent, std::string_view name, const Found& found);
  // The same for a file without a name.
  InodeId remember_nameless(const Found& found);
  // Takes back references; yields the inodes that are gone now.
  std::vector<InodeId> forget(InodeId id, std::uint64_t count);
  void pin(InodeId id);
  std::vector<InodeId> unpin(InodeId id);

  // Copy-up happened. `ino` is what users see from now on.
  void moved_to_upper(InodeId id, std::uint64_t upper_ino, std::uint64_t ino);

  // Changes of names, after they happened on disk.
  void remove_name(InodeId parent, std::string_view name);
  void move_name(InodeId parent, std::string_view name, InodeId new_parent, std::string_view new_name);
  void exchange_names(InodeId parent, std::string_view name, InodeId other_parent,
                      std::string_view other_name);

  std::size_t size() const;

 private:
  using Slot = std::uint32_t;
  using LinkRef = std::uint32_t;
  struct Inode {
    std::uint64_t lookups;
    std::uint64_t ino;
    std::uint64_t upper_ino;  // identity in the upper layer, 0 when not there
    std::uint32_t generation;
    std::uint32_t references;  // names in this directory, handles
    LinkRef first_link;
    LayerSets::Ref lowers;
    Slot next_same_identity;  // or the next free slot
    std::uint16_t type;       // S_IFMT bits; 0: free
    LayerIndex layer;
    bool in_upper;
  };
  struct Link {
    Slot inode;
    Slot parent;
    NamePool::Ref name;
    LinkRef next_of_inode;
    LinkRef next_in_bucket;  // or the next free link
    std::uint32_t hash;
    bool linked;
  };

  const Inode* lookup(InodeId id) const;
  Inode* lookup(InodeId id);
  InodeId id_of(Slot slot) const { return {std::uint64_t{inodes_[slot].generation} << 32 | slot}; }
  Slot allocate_inode(const Found& found);
  LinkRef allocate_link();
  LinkRef find_link(Slot parent, std::string_view name) const;
  void link(Slot parent, std::string_view name, Slot inode);
  void unhash(LinkRef link);
  void hash_in(LinkRef link);
  void grow_buckets();
  void drop_link(LinkRef link, std::vector<InodeId>& gone);
  void rebind(LinkRef link, Slot parent, std::string_view name, std::vector<InodeId>& gone);
  void release_if_unused(Slot slot, std::vector<InodeId>& gone);
  Slot find_identity(std::uint64_t upper_ino) const;
  void add_identity(Slot slot, std::uint64_t upper_ino);
  void remove_identity(Slot slot);
  bool same_object(const Inode& inode, const Found& found) const;

  mutable std::shared_mutex mutex_;
  FlatArray<Inode> inodes_;
  FlatArray<Link> links_;
  NamePool names_;
  LayerSets lower_sets_;
  std::vector<LinkRef> buckets_;
  std::vector<Slot> identities_;  // buckets by upper_ino
  Slot free_inode_ = 0;
  LinkRef free_link_ = 0;
  std::size_t live_inodes_ = 0;
  std::size_t live_links_ = 0;
};

}  // namespace nacre::fs
