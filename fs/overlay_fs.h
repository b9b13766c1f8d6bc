// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "fs/layer/layer.h"
#include "fs/layer/lower_layers.h"
#include "fs/layer/upper_layer.h"
#include "fs/model/detours.h"
#include "fs/model/dir_cache.h"
#include "fs/model/handles.h"
#include "fs/model/id_map.h"
#include "fs/model/inode_numbers.h"
#include "fs/model/inode_table.h"
#include "fs/model/kernel_cache.h"
#include "fs/model/listings.h"
#include "fs/model/locks.h"
#include "fs/model/merged_dir.h"
#include "fs/model/open_files.h"
#include "fs/model/passthrough.h"
#include "fs/model/types.h"

namespace nacre::fs {

struct OverlayConfig {
  std::unique_ptr<UpperLayer> upper;           // null: the tree is read-only
  std::vector<std::unique_ptr<Layer>> lowers;  // topmost first, at least one
  // The last ones of `lowers` that are not shown: only redirects lead there.
  std::size_t data_only_layers = 0;
  bool redirect_dir = false;            // directories of lower layers can be renamed
  bool metacopy = false;                // changes of metadata alone copy no data
  bool sync = true;                     // fsync reaches the disk; copies are synced before they appear
  std::size_t open_directories = 1024;  // how many the cache may hold
  std::size_t open_lower_files = 8192;  // how many keep a descriptor
  std::size_t most_inodes = SIZE_MAX;   // so many the kernel may remember before prune() is asked for
  std::function<void()> on_crowded;     // how it is asked for; must not call it itself
  IdMap users, groups;                  // owners on disk and as they are shown
  bool names_stay = true;               // the layers are changed by nobody else, or reload() is called
  Passthrough* passthrough = nullptr;   // must outlive the file system; null: none
  KernelCache* kernel_cache = nullptr;  // the same; null: the kernel does not listen
};

// What setattr changes; unset members stay.
struct AttrChange {
  std::optional<mode_t> mode;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::optional<std::uint64_t> size;
  std::optional<timespec> atime, mtime;  // tv_nsec may be UTIME_NOW
  bool kill_set_id = false;              // clear the set-id bits, as a write by this caller does
};

struct Statistics {
  std::size_t inodes = 0;
  std::size_t handles = 0;
  std::size_t open_directories = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t passed_through = 0;  // opens
};

// The copy-on-write union of layers: one method per operation, each in the file of fs/ops
// named beside it. Knows nothing of FUSE. Thread-safe; the order of locks is in
// docs/LOCKING.md. Errors are errnos, as an ordinary file system gives them. Permissions
// are the caller's to check (the kernel does, "default_permissions").
class OverlayFs {
 public:
  static Result<std::unique_ptr<OverlayFs>> create(OverlayConfig config);

  // lookup.cpp: the kernel counts one reference for each Entry it gets.
  Result<Entry> lookup(InodeId parent, Name name);
  void forget(InodeId inode, std::uint64_t count);

  // prune.cpp: asks the kernel to forget what it does not use, down to seven eighths of `most_inodes`. False:
  // ask once more when it has had time to. Not while a request is answered by the calling thread.
  bool prune();

  // attr.cpp
  Result<struct stat> getattr(InodeId inode);
  Result<struct stat> setattr(const Caller& caller, InodeId inode, const AttrChange& change);
  // False where the attributes may change without the kernel noticing.
  bool cacheable(InodeId inode, const struct stat& attr) const;

  // readdir.cpp: the entries after `offset`, which is that of another entry or 0; false stops.
  Result<> readdir(InodeId dir, std::uint64_t offset, const std::function<bool(const MergedEntry&)>& emit);
  Result<> fsyncdir(InodeId dir);

  // open.cpp
  struct Opened {
    HandleId handle;
    int backing = 0;         // the kernel reads and writes this by itself; 0: it asks us
    bool keep_cache = true;  // false: what the kernel has cached of the data may be old
  };
  Result<Opened> open(const Caller& caller, InodeId inode, int flags);
  void release(HandleId handle);

  // io.cpp
  Result<std::size_t> read(HandleId handle, std::span<char> buffer, std::uint64_t offset);
  // Where to read from now, for those who do it themselves; counts as a read.
  Result<DataRef> read_source(HandleId handle);
  Result<std::size_t> write(const Caller& caller, HandleId handle, std::span<const char> data,
                            std::uint64_t offset);
  Result<> fsync(HandleId handle, bool data_only);
  Result<> fallocate(HandleId handle, int mode, std::uint64_t offset, std::uint64_t length);
  Result<std::uint64_t> lseek(HandleId handle, std::uint64_t offset, int whence);
  Result<std::size_t> copy_file_range(HandleId from, std::uint64_t from_offset, HandleId to,
                                      std::uint64_t to_offset, std::size_t length);

  // create.cpp
  struct Created {
    Entry entry;
    Opened opened;
  };
  Result<Created> create(const Caller& caller, InodeId parent, Name name, mode_t mode);
  Result<Created> tmpfile(const Caller& caller, InodeId parent, mode_t mode);
  Result<Entry> mknod(const Caller& caller, InodeId parent, Name name, mode_t mode, dev_t device);
  Result<Entry> mkdir(const Caller& caller, InodeId parent, Name name, mode_t mode);
  Result<Entry> symlink(const Caller& caller, InodeId parent, Name name, const char* target);

  // link.cpp
  Result<Entry> link(InodeId inode, InodeId new_parent, Name new_name);
  Result<std::string> readlink(InodeId inode);

  // unlink.cpp
  Result<> unlink(InodeId parent, Name name);
  Result<> rmdir(InodeId parent, Name name);

  // rename.cpp: `flags` are RENAME_NOREPLACE and RENAME_EXCHANGE. EXDEV for a directory
  // that lower layers have part in, as kernel overlayfs does by default.
  Result<> rename(InodeId parent, Name name, InodeId new_parent, Name new_name, unsigned flags);

  // xattr.cpp: the overlay's own attributes are not shown.
  Result<std::string> getxattr(InodeId inode, const char* attribute);
  Result<std::string> listxattr(InodeId inode);  // names, each ended by NUL
  Result<> setxattr(InodeId inode, const char* attribute, std::string_view value, int flags);
  Result<> removexattr(InodeId inode, const char* attribute);

  // ioctl.cpp: ENOTTY for all but file flags, project ids and generations.
  Result<std::string> ioctl(InodeId inode, unsigned command, std::string_view argument);

  // reload.cpp: lower layers were changed, or there are more of them. What is open stays as it is. Not
  // while a request is answered by the calling thread.
  void reload();
  // On top of the other lower layers, topmost first; reload() makes them seen. Once at a time. Fails when
  // there are too many.
  Result<> add_layers(std::vector<std::unique_ptr<Layer>> layers);

  // statfs.cpp
  Result<struct statvfs> statfs();
  Statistics statistics() const;
  bool read_only() const { return upper_ == nullptr; }
  bool syncs() const { return sync_; }

 private:
  // A directory in all its layers.
  struct View {
    struct Part {
      LayerIndex layer;
      DirRef dir;
    };
    InodeId dir;
    DirRef upper;  // null when it is in lower layers only
    std::vector<Part> lowers;
  };
  // What the upper layer itself has under a name.
  enum class UpperState { absent, whiteout, present };
  struct UpperEntry {
    UpperState state = UpperState::absent;
    struct stat attr {};
    bool by_marker = false;  // a whiteout that is a file ".wh.NAME", so that NAME itself is free
    Place place() const { return state == UpperState::absent || by_marker ? Place::free : Place::occupied; }
  };
  OverlayFs(OverlayConfig config, const Found& root);

  // resolve.cpp: from an inode to its place in the layers.
  Layer& layer(LayerIndex index) { return index == kUpper ? *upper_ : lowers_.at(index); }
  Result<DirRef> dir(InodeId dir, LayerIndex layer);
  Result<DirRef> upper_dir(InodeId dir);  // copied up if need be
  Result<View> view(const Node& dir);
  Result<Found> find(const View& view, Name name);
  Result<bool> shown_below(const View& view, Name name);  // the lower layers show it
  Result<UpperEntry> upper_entry(const View& view, Name name);
  void drop_marker(const LayerDir& dir, Name name, const UpperEntry& before);
  Result<DataRef> object(InodeId inode);  // of an inode that is in the upper
  Result<struct stat> attributes(const Node& node);
  void finish(const Node& node, struct stat& attr) const;
  void show_owner(struct stat& attr) const;
  void drop(const std::vector<InodeId>& gone);
  // Runs `act` on (directory, name) of the inode in a layer; the name does not change
  // meanwhile. ENOENT if it has none.
  template <typename Act>
  auto located(InodeId inode, LayerIndex layer, Act act)
      -> decltype(act(std::declval<const LayerDir&>(), Name{}));

  // reload.cpp
  void settle();
  void merge_anew();

  // lookup.cpp
  std::optional<Entry> known(InodeId parent, Name name);

  // prune.cpp
  void look_for_a_crowd();
  void lower_the_bar();

  // hard_links.cpp
  struct Alias {
    std::string index_name;
    std::uint64_t lower_links;
  };
  std::string own_attribute(std::string_view name) const;
  void expect_in_index(LayerIndex index, const LayerDir& dir, Name name, Found& found) const;
  Result<> settle_in_index(Found& found);
  Result<> find_links(const View& view, Name name, Found& found);
  std::optional<struct stat> stat_origin(std::string_view origin);
  bool opens_handles(std::string_view origin);
  Result<std::optional<struct stat>> find_origin(const View& view, Name name);
  Result<std::uint64_t> number_in_upper(const View& view, Name name, dev_t device, std::uint64_t ino);
  Result<Alias> alias(const Location& place);
  void mark_impure(const LayerDir& dir);
  bool impure(const LayerDir& dir);
  Result<> link_up(InodeId parent, Name name);
  Result<> keep_links(const Node& node, int object);
  void leave_index(const Node& node, int object);
  Result<> before_unlink(InodeId inode, InodeId parent, Name name);

  // find.cpp
  struct Search;
  Result<> search_lowers(Search& search);
  Result<> find_in_lower(Search& search, LayerIndex index, const LayerDir& dir, const char* name,
                         std::string path);
  Result<> follow(Search& search, LayerIndex index, const LayerDir& parent, const char* name);
  Result<bool> hidden_by_archive(Search& search);

  // redirect.cpp
  Result<DirRef> open_above(LayerIndex index, std::string_view path, bool& opaque);
  Result<DirRef> open_detour(LayerIndex index, const std::string& path);
  Result<std::string> lower_path(InodeId inode);
  Result<> set_redirect(const Node& node, int object);
  bool lacks_data(int object);
  Result<> set_data_redirect(const Node& node, int object);
  UniqueFd open_regular(LayerIndex index, const LayerDir& dir, const char* name);
  Result<UniqueFd> open_data_below(const Node& node, LayerIndex above, int file);
  Result<> complete_copy(InodeId inode, std::uint64_t size = kAllData);

  // copy_up.cpp: with a `size`, the copy is as if truncated to it; kNoData: what it holds is not
  // needed, if the mount allows copies without. False: nothing to do, it is in the upper already.
  static constexpr std::uint64_t kAllData = UINT64_MAX;
  static constexpr std::uint64_t kNoData = UINT64_MAX - 1;
  Result<bool> copy_up(InodeId inode, std::uint64_t size = kAllData);
  Result<> copy_up_locked(const Node& node, std::uint64_t size);
  struct Copy;
  Result<Copy> stage_copy(const Node& node, const struct stat& attr, std::uint64_t size);
  Result<> copy_xattrs(const Node& node, int to);
  Result<> publish_copy(const Node& node, const struct stat& attr, Copy& copy);
  Result<> place_copy(const Location& place, const LayerDir& parent, Copy& copy);
  Result<> remember_origin(const Node& node, const struct stat& attr, Copy& copy);

  // xattr.cpp
  bool maps_ids(const char* attribute) const;
  Result<std::string> get_stored_xattr(InodeId inode, const char* attribute);

  // ioctl.cpp
  Result<UniqueFd> open_for_ioctl(const Node& node);

  // open.cpp
  Result<UniqueFd> open_data(const Node& node, bool writable, bool& borrowed, const DataRef& orphan = {});
  Opened attach(const Node& node, OpenFile& file, OpenFileRef ref);
  void keep_some(OpenFile& file);
  Result<> part_from_lower(const Node& node, OpenFile& file, bool writable);

  // io.cpp
  Result<DataRef> data_of(const FileHandle& handle);

  // readdir.cpp
  Result<Listing> list(LayerIndex index, const LayerDir& dir);
  Result<MergedListing> merged_entries(const Node& dir);
  Result<bool> is_empty(const View& view);

  // create.cpp
  Result<Entry> make(const Caller& caller, InodeId parent, Name name, NewNode what, UniqueFd* data);
  struct Heritage;  // what a new object gets of its directory and its maker
  Result<Heritage> heritage(const Caller& caller, const LayerDir& parent, mode_t mode);
  Result<Staged> stage_new(const NewNode& what, const Heritage& heritage);

  // unlink.cpp
  Result<> remove(InodeId parent, Name name, bool is_dir);
  void orphan(InodeId inode, OpenFile& file, DataRef object);

  // attr.cpp
  Result<> clear_set_id(int object);

  // rename.cpp
  struct Move;  // one rename with everything it needs to know
  Result<> exchange(Move& move);
  Result<> replace(Move& move, unsigned flags);
  Result<> move_dir(Move& move);
  Result<> make_way(Move& move);

  const std::unique_ptr<UpperLayer> upper_;
  LowerLayers lowers_;
  const bool redirect_dir_;
  const bool metacopy_;
  std::atomic<bool> names_stay_;
  const bool sync_;
  const IdMap users_;
  const IdMap groups_;
  Passthrough* const passthrough_;
  KernelCache* const kernel_cache_;
  std::atomic<bool> opens_handles_{false};  // not known to be so
  const uid_t own_uid_;
  const gid_t own_gid_;

  InodeTable table_;
  DirCache dirs_;
  Detours detours_;
  InodeNumbers numbers_;
  OpenFiles files_;
  HandleTable<FileHandle> handles_;
  Listings listings_;
  DirectoryLocks directory_locks_;
  CopyUpLocks copy_up_locks_;
  std::shared_mutex index_mutex_;  // while the index and what the table knows of it must agree
  const std::size_t most_inodes_;
  const std::function<void()> on_crowded_;
  std::atomic<std::size_t> crowded_at_;  // when prune() is asked for next
  const std::size_t most_kept_files_;
  std::atomic<std::size_t> kept_files_{0};
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> passed_through_{0};
};

template <typename Act>
auto OverlayFs::located(InodeId inode, LayerIndex index, Act act)
    -> decltype(act(std::declval<const LayerDir&>(), Name{})) {
  for (;;) {
    const auto place = TRY(table_.location(inode));
    // What was removed is gone from the upper, while a lower layer still has it.
    if (!place.linked && index == kUpper) return fail(ENOENT);
    if (place.aliased && index == kUpper) {
      const auto entry = TRY(alias(place));
      return act(*upper_->index(), entry.index_name.c_str());
    }
    const auto parent = TRY(dir(place.parent, index));
    // What lower layers call a file does not change, so nobody has to wait for a slow one.
    const auto lock = index == kUpper ? directory_locks_.read(place.parent) : DirectoryLocks::Shared();
    if (place.linked) {
      const auto now = table_.location(inode);
      if (!now || *now != place) continue;
    }
    return act(*parent, place.name());
  }
}

}  // namespace nacre::fs
