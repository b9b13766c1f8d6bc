// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>
#include <span>

#include "fs/layer/layer.h"

namespace nacre::fs {

// A new object that is not in the tree yet.
struct NewNode {
  mode_t mode = 0;  // with the type in S_IFMT
  dev_t device = 0;
  const char* target = nullptr;  // of a symlink
};

// A new object in the work directory. `fd` is O_RDWR for a regular file, O_PATH otherwise.
struct Staged {
  UniqueFd fd;
  std::string name;  // in the work directory; empty: the file has no name yet
  mode_t type = 0;
};

enum class Place {
  free,      // no object has the name: EEXIST otherwise
  occupied,  // what has the name is replaced and thrown away
};

// The layer that is written. A descriptor stands for an object (O_PATH will do, except
// where data is concerned). Every change to the tree is one atomic step.
class UpperLayer : public Layer {
 public:
  // --- objects outside the tree
  virtual Result<Staged> stage(const NewNode& what) = 0;
  // Removes what was staged; for undoing, so it reports nothing.
  virtual void discard(Staged& staged) noexcept = 0;
  // Puts a staged object at its place in the tree.
  virtual Result<> publish(Staged& staged, const LayerDir& dir, const char* name, Place place) = 0;

  // --- objects by descriptor
  virtual Result<UniqueFd> open_object(const LayerDir& dir, const char* name) = 0;  // O_PATH
  virtual Result<UniqueFd> reopen(int object, int flags) = 0;
  virtual Result<> copy_data(int from, int to, std::uint64_t size) = 0;
  virtual Result<> set_owner(int object, uid_t uid, gid_t gid) = 0;
  virtual Result<> set_mode(int object, mode_t mode) = 0;
  virtual Result<> set_size(int object, std::uint64_t size) = 0;
  virtual Result<> set_times(int object, std::span<const timespec, 2> times) = 0;
  virtual Result<std::string> get_object_xattr(int object, const char* attribute) = 0;
  virtual Result<std::vector<std::string>> list_object_xattrs(int object) = 0;
  virtual Result<> set_xattr(int object, const char* attribute, std::string_view value, int flags) = 0;
  virtual Result<> remove_xattr(int object, const char* attribute) = 0;
  virtual Result<> set_opaque(int object) = 0;
  virtual Result<> sync(int object) = 0;

  // --- the tree
  // Creates a node directly, owned by this process. EEXIST if the name is taken.
  virtual Result<> create(const LayerDir& dir, const char* name, const NewNode& what) = 0;
  // The same for a regular file, opened O_RDWR.
  virtual Result<UniqueFd> create_file(const LayerDir& dir, const char* name, mode_t mode) = 0;
  // Makes a whiteout; with Place::occupied it takes the place of what is there, be it a
  // directory that holds whiteouts.
  virtual Result<> white_out(const LayerDir& dir, const char* name, Place place) = 0;
  // Removes a file or an empty directory; a directory may hold whiteouts.
  virtual Result<> remove(const LayerDir& dir, const char* name, bool is_dir) = 0;
  // renameat2(2).
  virtual Result<> rename(const LayerDir& from, const char* name, const LayerDir& to, const char* new_name,
                          unsigned flags) = 0;
  virtual Result<> link(int object, const LayerDir& dir, const char* name, Place place) = 0;

  // --- beside the tree
  // Where files are found that the upper has under some of their names only; null: nowhere.
  virtual DirRef index() const = 0;
  // The prefix of the overlay's own attributes in this layer, such as "trusted.overlay.".
  virtual std::string_view attribute_prefix() const = 0;
};

}  // namespace nacre::fs
