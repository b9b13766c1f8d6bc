// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>

#include <memory>
#include <string>
#include <vector>

#include "fs/layer/forwarding_layer.h"
#include "fs/layer/stat_override.h"

namespace nacre::fs {

// A layer whose files have owners, modes and types by an attribute. `Base` is the
// forwarding layer that it changes.
template <typename Base, typename Layer = Base>
class OverriddenReading : public Base {
 public:
  OverriddenReading(std::unique_ptr<Layer> layer, const OverrideAttribute& attribute)
      : Base(std::move(layer)), attribute_(attribute) {}

  Result<struct stat> stat(const LayerDir& dir, const char* name) override {
    auto attr = TRY(Base::stat(dir, name));
    if (attribute_.fits(attr.st_mode))
      TRY(attribute_.apply(Base::get_xattr(dir, name, attribute_.name()), attr));
    return attr;
  }
  Result<std::vector<sys::DirEntry>> list(const LayerDir& dir) override {
    auto entries = TRY(Base::list(dir));
    for (auto& entry : entries)
      if (entry.type == DT_REG) entry.type = DT_UNKNOWN;  // it may stand for a device
    return entries;
  }
  Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) override {
    const auto stored = attribute_.on_disk(attribute);
    return stored ? Base::get_xattr(dir, name, stored->c_str()) : fail(ENODATA);
  }
  Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) override {
    return shown(TRY(Base::list_xattrs(dir, name)));
  }

 protected:
  std::vector<std::string> shown(const std::vector<std::string>& stored) const {
    std::vector<std::string> names;
    for (const auto& name : stored)
      if (auto own = attribute_.shown(name)) names.push_back(std::move(*own));
    return names;
  }
  OverrideAttribute attribute_;
};

class OverriddenLayer final : public OverriddenReading<ForwardingLayer<Layer>, Layer> {
 public:
  using OverriddenReading::OverriddenReading;
  Result<struct stat> stat_object(int object) override;
};

// The same of the layer that is written. On disk every object belongs to this process, which can
// read and write it, and otherwise has the rights that it is shown with, but for set-id bits; fifos,
// sockets and devices are empty files.
class OverriddenUpper final : public OverriddenReading<ForwardingUpper, UpperLayer> {
 public:
  using OverriddenReading::OverriddenReading;
  Result<struct stat> stat_object(int object) override;
  Result<Staged> stage(const NewNode& what) override;
  Result<> create(const LayerDir& dir, const char* name, const NewNode& what) override;
  Result<UniqueFd> create_file(const LayerDir& dir, const char* name, mode_t mode) override;
  Result<> set_owner(int object, uid_t uid, gid_t gid) override;
  Result<> set_mode(int object, mode_t mode) override;
  Result<std::string> get_object_xattr(int object, const char* attribute) override;
  Result<std::vector<std::string>> list_object_xattrs(int object) override;
  // EPERM for the attribute itself and its like; EOPNOTSUPP for access control lists.
  Result<> set_xattr(int object, const char* attribute, std::string_view value, int flags) override;
  Result<> remove_xattr(int object, const char* attribute) override;

 private:
  Result<> write(int object, const struct stat& attr);
  Result<Staged> stage_in(const LayerDir& dir, const NewNode& what);
};

}  // namespace nacre::fs
