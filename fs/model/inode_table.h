// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fs/model/detours.h"
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
  LayerIndex layer = kUpper;            // not directories: the layer of the data
  std::vector<LayerIndex> lowers;       // directories: the lower layers merged here, topmost first
  std::vector<Detours::Place> detours;  // those of them that have it under another name
  // Not directories: names with one identity are one file; 0: this name is the only one.
  std::uint64_t identity = 0;
  std::string index_entry;           // where its copy would be, see fs/ops/hard_links.cpp
  bool indexed = false;              // and is
  bool aliased = false;              // the upper has the file, but not under this name
  std::int32_t links_elsewhere = 0;  // links to add to those that the upper counts
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
  std::uint64_t identity = 0;
  bool indexed = false;
  bool plain = false;  // see InodeTable::set_plain()
  std::int32_t links_elsewhere = 0;

  bool is_dir() const { return S_ISDIR(type); }
  bool merged() const { return lowers.size() + (in_upper ? 1 : 0) > 1; }
  // A directory that a rename can move: nothing of it lies below the upper.
  bool pure_upper() const { return in_upper && lowers.empty(); }
};

// Where an inode's name is. The same place in every layer that holds it.
struct Location {
  InodeId parent;
  bool linked = false;   // false: it was removed; the place is still right in lower layers
  bool aliased = false;  // the upper has the inode, but not under this name
  std::array<char, 256> text{};
  Name name() const { return text.data(); }
  bool operator==(const Location& other) const {
    return parent == other.parent && linked == other.linked && aliased == other.aliased &&
           std::string_view(name()) == other.name();
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
  // Of several names one that the upper has, if there is any. ENOENT for the root and for what
  // never had a name (O_TMPFILE).
  Result<Location> location(InodeId id) const;
  std::optional<InodeId> find(InodeId parent, std::string_view name) const;

  // The inode of a name just found in the layers, made if need be, with one more reference
  // of the kernel. Names of one upper file lead to one inode.
  Result<InodeId> remember(InodeId parent, std::string_view name, const Found& found);
  // The inode of a name that is known, with one more reference of the kernel.
  std::optional<InodeId> refer(InodeId parent, std::string_view name);
  // The same as remember() for a file without a name.
  InodeId remember_nameless(const Found& found);
  // Takes back references; yields the inodes that are gone now.
  std::vector<InodeId> forget(InodeId id, std::uint64_t count);
  void pin(InodeId id);
  std::vector<InodeId> unpin(InodeId id);

  // Copy-up happened, to the place `at` if that is given: other names are aliases from then on.
  // `ino` is what users see from now on, `identity` that of the copy.
  void moved_to_upper(InodeId id, std::uint64_t identity, std::uint64_t ino, const Location* at = nullptr);
  // Hard links: the inode has an index entry, and so many links more than the upper counts.
  void set_indexed(InodeId id, std::int32_t links_elsewhere);
  // A lower file that can be opened, and whose data is its own and nothing particular: no need to look
  // at each open. Until it is copied up.
  void set_plain(InodeId id);
  // Whoever looks for its names gets another inode from now on.
  void detach(InodeId id);
  std::optional<InodeId> by_identity(std::uint64_t identity) const;
  // The upper has an alias now.
  void name_is_up(InodeId parent, std::string_view name);
  // Whether the upper lacks this name of an inode that it has.
  bool is_aliased(InodeId parent, std::string_view name) const;

  // Changes of names, after they happened on disk.
  void remove_name(InodeId parent, std::string_view name);
  void move_name(InodeId parent, std::string_view name, InodeId new_parent, std::string_view new_name);
  void exchange_names(InodeId parent, std::string_view name, InodeId other_parent,
                      std::string_view other_name);

  // What a directory is merged from.
  void set_lowers(InodeId dir, const std::vector<LayerIndex>& lowers);

  std::size_t size() const { return live_inodes_; }
  // Up to `most` inodes that only the kernel's memory of them keeps, each time the next ones around.
  std::vector<InodeId> next_unused(std::size_t most);
  std::vector<InodeId> all() const;
  std::vector<std::string> names_in(InodeId dir) const;

 private:
  using Slot = std::uint32_t;
  using LinkRef = std::uint32_t;
  struct Inode {
    std::uint64_t lookups;
    std::uint64_t ino;
    std::uint64_t identity;  // 0: it has none
    std::uint32_t generation;
    std::uint32_t references;  // names in this directory, handles
    LinkRef first_link;
    LayerSets::Ref lowers;
    Slot next_same_identity;  // or the next free slot
    std::uint16_t type;       // S_IFMT bits; 0: free
    LayerIndex layer;
    std::int32_t links_elsewhere;
    bool in_upper;
    bool indexed;
    bool plain;
  };
  struct Link {
    Slot inode;
    Slot parent;
    NamePool::Ref name;
    LinkRef next_of_inode;
    LinkRef next_in_bucket;  // or the next free link
    std::uint32_t hash;
    bool linked;
    bool aliased;
  };

  const Inode* lookup(InodeId id) const;
  Inode* lookup(InodeId id);
  InodeId id_of(Slot slot) const { return {std::uint64_t{inodes_[slot].generation} << 32 | slot}; }
  Slot allocate_inode(const Found& found);
  LinkRef allocate_link();
  LinkRef find_link(Slot parent, std::string_view name) const;
  void link(Slot parent, std::string_view name, Slot inode, bool aliased);
  void unhash(LinkRef link);
  void hash_in(LinkRef link);
  void grow_buckets();
  void rehash_links();
  void rehash_identities();
  void trim();
  void drop_link(LinkRef link, std::vector<InodeId>& gone);
  void rebind(LinkRef link, Slot parent, std::string_view name, std::vector<InodeId>& gone);
  void release_if_unused(Slot slot, std::vector<InodeId>& gone);
  Slot find_identity(std::uint64_t identity) const;
  void add_identity(Slot slot, std::uint64_t identity);
  void remove_identity(Slot slot);
  static void learn_links(Inode& inode, const Found& found);
  bool same_object(const Inode& inode, const Found& found) const;

  mutable std::shared_mutex mutex_;
  FlatArray<Inode> inodes_;
  FlatArray<Link> links_;
  NamePool names_;
  LayerSets lower_sets_;
  std::vector<LinkRef> buckets_;
  std::vector<Slot> identities_;  // buckets by identity
  Slot free_inode_ = 0;
  LinkRef free_link_ = 0;
  Slot hand_ = 1;  // of next_unused()
  std::atomic<std::size_t> live_inodes_{0};
  std::size_t live_links_ = 0;
  std::size_t trim_below_ = 0;          // so few live inodes, and the table is trimmed
  std::uint32_t first_generation_ = 0;  // of slots that are used for the first time
};

}  // namespace nacre::fs
