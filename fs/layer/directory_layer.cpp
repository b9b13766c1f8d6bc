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

Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) {
  if (name[0] == '.' && name[1] == '\0') return object::get_xattr(fd_of(dir), attribute);
  const auto fd = TRY(sys::open_beneath(fd_of(dir), name, O_PATH | O_NOFOLLOW));
  return object::get_xattr(fd.get(), attribute);
}

Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) {
  if (name[0] == '.' && name[1] == '\0') return object::list_xattrs(fd_of(dir));
  const auto fd = TRY(sys::open_beneath(fd_of(dir), name, O_PATH | O_NOFOLLOW));
  return object::list_xattrs(fd.get());
}

Result<struct statvfs> statistics(const LayerDir& dir) {
  struct statvfs result {};
  TRY(sys::succeed([&] { return ::fstatvfs(fd_of(dir), &result); }));
  return result;
}

}  // namespace nacre::fs::host
