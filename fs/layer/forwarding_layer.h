// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fs/layer/upper_layer.h"

namespace nacre::fs {

// A layer over another one, for what changes only some of its answers. `Base` is Layer or UpperLayer.
template <typename Base>
class ForwardingLayer : public Base {
 public:
  explicit ForwardingLayer(std::unique_ptr<Base> layer) : layer_(std::move(layer)) {}

  DirRef root() const override { return layer_->root(); }
  Result<DirRef> open_dir(const LayerDir& parent, const char* name) override {
    return layer_->open_dir(parent, name);
  }
  Result<struct stat> stat(const LayerDir& dir, const char* name) override { return layer_->stat(dir, name); }
  Result<struct stat> stat_object(int object) override { return layer_->stat_object(object); }
  Result<std::vector<sys::DirEntry>> list(const LayerDir& dir) override { return layer_->list(dir); }
  Result<std::string> read_link(const LayerDir& dir, const char* name) override {
    return layer_->read_link(dir, name);
  }
  Result<UniqueFd> open(const LayerDir& dir, const char* name, int flags) override {
    return layer_->open(dir, name, flags);
  }
  Result<std::string> get_xattr(const LayerDir& dir, const char* name, const char* attribute) override {
    return layer_->get_xattr(dir, name, attribute);
  }
  Result<std::vector<std::string>> list_xattrs(const LayerDir& dir, const char* name) override {
    return layer_->list_xattrs(dir, name);
  }
  Result<struct statvfs> statistics() override { return layer_->statistics(); }
  Result<std::string> handle(const LayerDir& dir, const char* name) override {
    return layer_->handle(dir, name);
  }
  Result<struct stat> stat_handle(std::string_view handle) override { return layer_->stat_handle(handle); }

 protected:
  Base& inner() { return *layer_; }
  const Base& inner() const { return *layer_; }

 private:
  std::unique_ptr<Base> layer_;
};

class ForwardingUpper : public ForwardingLayer<UpperLayer> {
 public:
  using ForwardingLayer::ForwardingLayer;

  Result<Staged> stage(const NewNode& what) override { return inner().stage(what); }
  void discard(Staged& staged) noexcept override { inner().discard(staged); }
  Result<> publish(Staged& staged, const LayerDir& dir, const char* name, Place place) override {
    return inner().publish(staged, dir, name, place);
  }
  Result<UniqueFd> open_object(const LayerDir& dir, const char* name) override {
    return inner().open_object(dir, name);
  }
  Result<UniqueFd> reopen(int object, int flags) override { return inner().reopen(object, flags); }
  Result<> copy_data(int from, int to, std::uint64_t size) override {
    return inner().copy_data(from, to, size);
  }
  Result<> set_owner(int object, uid_t uid, gid_t gid) override {
    return inner().set_owner(object, uid, gid);
  }
  Result<> set_mode(int object, mode_t mode) override { return inner().set_mode(object, mode); }
  Result<> set_size(int object, std::uint64_t size) override { return inner().set_size(object, size); }
  Result<> set_times(int object, std::span<const timespec, 2> times) override {
    return inner().set_times(object, times);
  }
  Result<std::string> get_object_xattr(int object, const char* attribute) override {
    return inner().get_object_xattr(object, attribute);
  }
  Result<std::vector<std::string>> list_object_xattrs(int object) override {
    return inner().list_object_xattrs(object);
  }
  Result<> set_xattr(int object, const char* attribute, std::string_view value, int flags) override {
    return inner().set_xattr(object, attribute, value, flags);
  }
  Result<> remove_xattr(int object, const char* attribute) override {
    return inner().remove_xattr(object, attribute);
  }
  Result<> set_opaque(int object) override { return inner().set_opaque(object); }
  Result<> sync(int object) override { return inner().sync(object); }
  Result<> create(const LayerDir& dir, const char* name, const NewNode& what) override {
    return inner().create(dir, name, what);
  }
  Result<UniqueFd> create_file(const LayerDir& dir, const char* name, mode_t mode) override {
    return inner().create_file(dir, name, mode);
  }
  Result<> white_out(const LayerDir& dir, const char* name, Place place) override {
    return inner().white_out(dir, name, place);
  }
  Result<> remove(const LayerDir& dir, const char* name, bool is_dir) override {
    return inner().remove(dir, name, is_dir);
  }
  Result<> rename(const LayerDir& from, const char* name, const LayerDir& to, const char* new_name,
                  unsigned flags) override {
    return inner().rename(from, name, to, new_name, flags);
  }
  Result<> link(int object, const LayerDir& dir, const char* name, Place place) override {
    return inner().link(object, dir, name, place);
  }
  DirRef index() const override { return inner().index(); }
  std::string_view attribute_prefix() const override { return inner().attribute_prefix(); }
};

}  // namespace nacre::fs
