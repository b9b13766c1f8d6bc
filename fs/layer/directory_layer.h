// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fs/layer/layer.h"
#include "fs/layer/origin.h"

namespace nacre::fs {

// A descriptor of a host directory (O_PATH).
class HostDir final : public LayerDir {
 public:
  explicit HostDir(UniqueFd fd) : fd_(std::move(fd)) {}
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};
inline int fd_of(const LayerDir& dir) { return static_cast<const HostDir&>(dir).fd(); }

// What layers that are host directories have in common, as functions of descriptors.
namespace host {
Result<DirRef> open_dir(const LayerDir& parent, const char* name);
Result<struct stat> stat(const LayerDir& dir, const char* name);
Result<UniqueFd> open_data(const LayerDir& dir, const char* name, int flags);
Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute);
Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name);
Result<struct statvfs> statistics(const LayerDir& dir);

// The file system that a layer lies on, for file handles.
class Origins {
 public:
  explicit Origins(int root);
  Result<std::string> encode(const LayerDir& dir, const char* name) const {
    return encode_origin(fd_of(dir), name, file_system_);
  }
  Result<struct stat> stat(std::string_view origin) const;

 private:
  UniqueFd mount_;  // O_RDONLY; none if the root may not be read
  FileSystemId file_system_{};
};
}  // namespace host

// A read-only layer that is a host directory, reached only by descriptor and name.
class DirectoryLayer final : public Layer {
 public:
  // `root` is an O_PATH descriptor of the directory.
  explicit DirectoryLayer(UniqueFd root)
      : root_(std::make_shared<HostDir>(std::move(root))), origins_(root_->fd()) {}

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
    // O_NOATIME: a layer is not changed by being read. It is refused for files of others.
    auto fd = host::open_data(dir, name, flags | O_NOATIME);
    return !fd && fd.error().code == EPERM ? host::open_data(dir, name, flags) : std::move(fd);
  }
  Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) override {
    return host::get_xattr(dir, name, attribute);
  }
  Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) override {
    return host::list_xattrs(dir, name);
  }
  Result<struct statvfs> statistics() override { return host::statistics(*root_); }
  Result<std::string> handle(const LayerDir& dir, const char* name) override {
    return origins_.encode(dir, name);
  }
  Result<struct stat> stat_handle(std::string_view handle) override { return origins_.stat(handle); }

 private:
  std::shared_ptr<HostDir> root_;
  host::Origins origins_;
};

}  // namespace nacre::fs
