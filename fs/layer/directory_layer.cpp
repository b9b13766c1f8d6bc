// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/directory_layer.h"

#include "base/sys/checked.h"
#include "fs/layer/object.h"

namespace nacre::fs::host {

Result<DirRef> open_dir(const LayerDir& parent, const char* name) {
  auto fd = TRY(sys::open_beneath(fd_of(parent), name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return DirRef(std::make_shared<HostDir>(std::move(fd)));
}

Result<struct stat> stat(const LayerDir& dir, const char* name) {
  if (name[0] == '.' && name[1] == '\0') return sys::stat_fd(fd_of(dir));
  return sys::stat_at(fd_of(dir), name);
}

Result<UniqueFd> open_data(const LayerDir& dir, const char* name, int flags) {
  // O_NONBLOCK: should a FIFO have come in the file's place, we do not wait for its writer.
  return sys::open_beneath(fd_of(dir), name, flags | O_NOFOLLOW | O_NONBLOCK);
}

// The descriptor's magic link is followed, the name behind it is not: one system call, where
// opening the object first takes three.
Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) {
  return object::get_xattr(object::path(fd_of(dir)) + "/" + name, attribute);
}

Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) {
  return object::list_xattrs(object::path(fd_of(dir)) + "/" + name);
}

Result<struct statvfs> statistics(const LayerDir& dir) {
  struct statvfs result {};
  TRY(sys::succeed([&] { return ::fstatvfs(fd_of(dir), &result); }));
  return result;
}

Origins::Origins(int root) {
  if (auto mount = sys::open_at(root, ".", O_RDONLY | O_DIRECTORY)) mount_ = std::move(*mount);
  if (mount_) file_system_ = file_system_id(mount_.get());
}

Result<struct stat> Origins::stat(std::string_view origin) const {
  if (!mount_) return fail(EPERM);
  const auto object = TRY(open_origin(mount_.get(), origin, file_system_));
  return sys::stat_fd(object.get());
}

}  // namespace nacre::fs::host
