// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sys/file.h"
#include "base/unique_fd.h"

namespace nacre::fs {

// An opened directory of a layer; what it is inside is the layer's business.
class LayerDir {
 public:
  virtual ~LayerDir() = default;
};
using DirRef = std::shared_ptr<const LayerDir>;

// A tree of files that can be read: what an operation needs of a layer, and the seam where
// tests make it fail. An object is named by its directory and one name; the name "." is
// the directory itself. No call follows a symlink or leaves the layer. Thread-safe.
class Layer {
 public:
  virtual ~Layer() = default;

  virtual DirRef root() const = 0;
  virtual Result<DirRef> open_dir(const LayerDir& parent, const char* name) = 0;
  virtual Result<struct stat> stat(const LayerDir& dir, const char* name) = 0;
  // The same of an object by its descriptor.
  virtual Result<struct stat> stat_object(int object) = 0;
  virtual Result<std::vector<sys::DirEntry>> list(const LayerDir& dir) = 0;
  virtual Result<std::string> read_link(const LayerDir& dir, const char* name) = 0;
  // The data of a regular file, to read; `flags` may add O_RDWR in a layer that is written.
  virtual Result<UniqueFd> open(const LayerDir& dir, const char* name, int flags) = 0;
  // ENODATA when there is no such attribute.
  virtual Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) = 0;
  virtual Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) = 0;
  virtual Result<struct statvfs> statistics() = 0;
  // The file handle of an object, in kernel overlayfs's format (fs/layer/origin.h), and the
  // attributes of what it names. EOPNOTSUPP, ESTALE, EPERM as described there.
  virtual Result<std::string> handle(const LayerDir& dir, const char* name) = 0;
  virtual Result<struct stat> stat_handle(std::string_view handle) = 0;
};

}  // namespace nacre::fs
