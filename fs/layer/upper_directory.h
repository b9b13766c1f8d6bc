// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "fs/layer/directory_layer.h"
#include "fs/layer/markers.h"
#include "fs/layer/upper_layer.h"

namespace nacre::fs {

// Where this upper layer keeps its own attributes: "trusted." needs CAP_SYS_ADMIN.
enum class XattrNamespace { trusted, user };

// The upper layer as a host directory, with the work directory beside it, in the format of
// kernel overlayfs.
class UpperDirectory final : public UpperLayer {
 public:
  // `root` and `work` are O_PATH descriptors of directories of one file system; everything
  // in `work` is ours to remove. `index` is one for index entries, or none.
  struct Format {
    bool user_xattrs = false;  // user.* attributes even where trusted.* work
    bool markers = false;      // ".wh." files even where whiteouts work
  };
  static Result<std::unique_ptr<UpperDirectory>> create(UniqueFd root, UniqueFd work, UniqueFd index,
                                                        const Format& format);

  XattrNamespace xattr_namespace() const { return xattrs_; }

  DirRef root() const override { return root_; }
  Result<DirRef> open_dir(const LayerDir& parent, const char* name) override {
    return host::open_dir(parent, name);
  }
  Result<struct stat> stat(const LayerDir& dir, const char* name) override { return host::stat(dir, name); }
  Result<struct stat> stat_object(int object) override { return sys::stat_fd(object); }
  Result<std::vector<sys::DirEntry>> list(const LayerDir& dir) override {
    return sys::list_directory(fd_of(dir));
  }
  Result<std::string> read_link(const LayerDir& dir, const char* name) override {
    return sys::read_link_at(fd_of(dir), name);
  }
  Result<UniqueFd> open(const LayerDir& dir, const char* name, int flags) override {
    return host::open_data(dir, name, flags);
  }
  Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) override {
    return host::get_xattr(dir, name, attribute);
  }
  Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) override {
    return host::list_xattrs(dir, name);
  }
  Result<struct statvfs> statistics() override;
  Result<std::string> handle(const LayerDir& dir, const char* name) override {
    return origins_.encode(dir, name);
  }
  Result<struct stat> stat_handle(std::string_view handle) override { return origins_.stat(handle); }
  DirRef index() const override { return index_; }
  std::string_view attribute_prefix() const override {
    return xattrs_ == XattrNamespace::trusted ? kTrustedPrefix : kUserPrefix;
  }

  Result<Staged> stage(const NewNode& what) override;
  void discard(Staged& staged) noexcept override;
  Result<> publish(Staged& staged, const LayerDir& dir, const char* name, Place place) override;
  Result<UniqueFd> open_object(const LayerDir& dir, const char* name) override;
  Result<UniqueFd> reopen(int object, int flags) override;
  Result<> copy_data(int from, int to, std::uint64_t size) override;
  Result<> set_owner(int object, uid_t uid, gid_t gid) override;
  Result<> set_mode(int object, mode_t mode) override;
  Result<> set_size(int object, std::uint64_t size) override;
  Result<> set_times(int object, std::span<const timespec, 2> times) override;
  Result<std::string> get_object_xattr(int object, const char* attribute) override;
  Result<std::vector<std::string>> list_object_xattrs(int object) override;
  Result<> set_xattr(int object, const char* attribute, std::string_view value, int flags) override;
  Result<> remove_xattr(int object, const char* attribute) override;
  Result<> set_opaque(int object) override;
  Result<> sync(int object) override;
  Result<> create(const LayerDir& dir, const char* name, const NewNode& what) override;
  Result<UniqueFd> create_file(const LayerDir& dir, const char* name, mode_t mode) override;
  Result<> white_out(const LayerDir& dir, const char* name, Place place) override;
  Result<> remove(const LayerDir& dir, const char* name, bool is_dir) override;
  Result<> rename(const LayerDir& from, const char* name, const LayerDir& to, const char* new_name,
                  unsigned flags) override;
  Result<> link(int object, const LayerDir& dir, const char* name, Place place) override;

 private:
  UpperDirectory(UniqueFd root, UniqueFd work)
      : root_(std::make_shared<HostDir>(std::move(root))), work_(std::move(work)), origins_(root_->fd()) {}
  void probe(bool user_xattrs);
  Result<> tidy_index();
  static Result<> make_marker(int dir, const char* name);
  std::string fresh_name();
  // Removes a work directory entry with everything in it.
  void clear(const char* name) noexcept;
  // Puts work directory entry `name` in the place of what is at (dir, target).
  Result<> replace(const char* name, const LayerDir& dir, const char* target);

  std::shared_ptr<HostDir> root_;
  HostDir work_;
  std::shared_ptr<HostDir> index_;
  host::Origins origins_;
  XattrNamespace xattrs_ = XattrNamespace::trusted;
  bool attributes_ = true;            // it can have some
  bool markers_ = false;              // a removed name has a file ".wh.NAME", and no whiteout
  std::atomic<bool> nameless_{true};  // O_TMPFILE works here
  std::atomic<std::uint64_t> counter_{0};
};

}  // namespace nacre::fs
