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
#include "fs/layer/upper_layer.h"
#include "fs/model/dir_cache.h"
#include "fs/model/handles.h"
#include "fs/model/inode_numbers.h"
#include "fs/model/inode_table.h"
#include "fs/model/locks.h"
#include "fs/model/merged_dir.h"
#include "fs/model/open_files.h"
#include "fs/model/types.h"

namespace nacre::fs {

struct OverlayConfig {
  std::unique_ptr<UpperLayer> upper;           // null: the tree is read-only
  std::vector<std::unique_ptr<Layer>> lowers;  // topmost first, at least one
  bool sync = true;                            // fsync reaches the disk; copies are synced before they appear
  std::size_t open_directories = 1024;         // how many the cache may hold
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

  // attr.cpp
  Result<struct stat> getattr(InodeId inode);
  Result<struct stat> setattr(const Caller& caller, InodeId inode, const AttrChange& change);
  // False where the attributes may change without the kernel noticing.
  bool cacheable(InodeId inode, const struct stat& attr) const;

  // readdir.cpp: `emit` gets the entry and the offset after it; false stops.
  Result<HandleId> opendir(InodeId dir);
  Result<> readdir(HandleId handle, std::uint64_t offset,
                   const std::function<bool(const MergedEntry&, std::uint64_t)>& emit);
  void releasedir(HandleId handle);
  Result<> fsyncdir(InodeId dir);

  // open.cpp
  Result<HandleId> open(const Caller& caller, InodeId inode, int flags);
  void release(HandleId handle);

  // io.cpp
  Result<std::size_t> read(HandleId handle, std::span<char> buffer, std::uint64_t offset);
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
    HandleId handle;
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
    DirRef upper;  // null when it is in lower layers only
    std::vector<Part> lowers;
  };
  // What the upper layer itself has under a name.
  enum class UpperState { absent, whiteout, present };
  struct UpperEntry {
    UpperState state = UpperState::absent;
    struct stat attr {};
  };
  OverlayFs(OverlayConfig config, const Found& root);

  // resolve.cpp: from an inode to its place in the layers.
  Layer& layer(LayerIndex index) { return index == kUpper ? *upper_ : *lowers_[index - 1]; }
  Result<DirRef> dir(InodeId dir, LayerIndex layer);
  Result<DirRef> upper_dir(InodeId dir);  // copied up if need be
  Result<View> view(const Node& dir);
  Result<Found> find(const View& view, Name name);
  Result<bool> shown_below(const View& view, Name name);  // the lower layers show it
  Result<UpperEntry> upper_entry(const View& view, Name name);
  Result<DataRef> object(InodeId inode);  // of an inode that is in the upper
  Result<struct stat> attributes(const Node& node);
  void finish(const Node& node, struct stat& attr) const;
  void drop(const std::vector<InodeId>& gone);
  // Runs `act` on (directory, name) of the inode in a layer; the name does not change
  // meanwhile. ENOENT if it has none.
  template <typename Act>
  auto located(InodeId inode, LayerIndex layer, Act act)
      -> decltype(act(std::declval<const LayerDir&>(), Name{}));

  // find.cpp
  Result<bool> find_in_lower(const View& view, std::size_t part, Name name, Found& found, bool& stop);
  Result<> cut_at_opaque(const View& view, Name name, Found& found);

  // copy_up.cpp: copies the first `size` bytes at most. Nothing to do for what is in the upper.
  static constexpr std::uint64_t kAllData = UINT64_MAX;
  Result<> copy_up(InodeId inode, std::uint64_t size = kAllData);
  Result<> copy_up_locked(const Node& node, std::uint64_t size);
  Result<Staged> stage_copy(const Node& node, const struct stat& attr, std::uint64_t size);
  Result<> copy_xattrs(const Node& node, int to);
  Result<> publish_copy(const Node& node, const struct stat& attr, Staged& staged);

  // open.cpp
  Result<UniqueFd> open_data(const Node& node, bool writable);
  Result<HandleId> attach(InodeId inode, OpenFile& file, OpenFileRef ref);

  // readdir.cpp
  Result<Listing> list(LayerIndex index, const LayerDir& dir);
  Result<std::vector<MergedEntry>> merged_entries(const Node& dir);
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
  const std::vector<std::unique_ptr<Layer>> lowers_;
  const bool sync_;
  const uid_t own_uid_;
  const gid_t own_gid_;

  InodeTable table_;
  DirCache dirs_;
  InodeNumbers numbers_;
  OpenFiles files_;
  HandleTable<FileHandle> handles_;
  HandleTable<DirHandle> dir_handles_;
  DirectoryLocks directory_locks_;
  CopyUpLocks copy_up_locks_;
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> writes_{0};
};

template <typename Act>
auto OverlayFs::located(InodeId inode, LayerIndex index, Act act)
    -> decltype(act(std::declval<const LayerDir&>(), Name{})) {
  for (;;) {
    const auto place = TRY(table_.location(inode));
    // What was removed is gone from the upper, while a lower layer still has it.
    if (!place.linked && index == kUpper) return fail(ENOENT);
    const auto parent = TRY(dir(place.parent, index));
    const auto lock = directory_locks_.read(place.parent);
    if (place.linked) {
      const auto now = table_.location(inode);
      if (!now || *now != place) continue;
    }
    return act(*parent, place.name());
  }
}

}  // namespace nacre::fs
