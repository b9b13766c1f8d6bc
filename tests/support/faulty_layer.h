// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "fs/layer/upper_layer.h"

namespace nacre::test {

// An upper layer whose n-th changing call fails with an errno of the test's choice, as a
// full or broken disk does. Reading is never disturbed, nor is undoing.
class FaultyLayer : public fs::UpperLayer {
 public:
  explicit FaultyLayer(std::unique_ptr<fs::UpperLayer> layer) : layer_(std::move(layer)) {}

  // From now on the `number`-th call fails (1 is the next one), once.
  void fail_call(unsigned number, int code) {
    countdown_ = number;
    code_ = code;
  }
  void stop_failing() { countdown_ = 0; }
  // Whether the failure has happened.
  bool failed() const { return countdown_ == 0; }

  fs::DirRef root() const override { return layer_->root(); }
  Result<fs::DirRef> open_dir(const fs::LayerDir& p, const char* n) override {
    return layer_->open_dir(p, n);
  }
  Result<struct stat> stat(const fs::LayerDir& d, const char* n) override { return layer_->stat(d, n); }
  Result<std::vector<sys::DirEntry>> list(const fs::LayerDir& d) override { return layer_->list(d); }
  Result<std::string> read_link(const fs::LayerDir& d, const char* n) override {
    return layer_->read_link(d, n);
  }
  Result<UniqueFd> open(const fs::LayerDir& d, const char* n, int flags) override {
    return layer_->open(d, n, flags);
  }
  Result<std::string> get_xattr(const fs::LayerDir& d, const char* n, const char* a) override {
    return layer_->get_xattr(d, n, a);
  }
  Result<std::vector<std::string>> list_xattrs(const fs::LayerDir& d, const char* n) override {
    return layer_->list_xattrs(d, n);
  }
  Result<struct statvfs> statistics() override { return layer_->statistics(); }
  Result<std::string> handle(const fs::LayerDir& d, const char* n) override { return layer_->handle(d, n); }
  Result<struct stat> stat_handle(std::string_view h) override { return layer_->stat_handle(h); }
  fs::DirRef index() const override { return layer_->index(); }
  std::string_view attribute_prefix() const override { return layer_->attribute_prefix(); }
  void discard(fs::Staged& staged) noexcept override { layer_->discard(staged); }
  Result<UniqueFd> open_object(const fs::LayerDir& d, const char* n) override {
    return layer_->open_object(d, n);
  }
  Result<UniqueFd> reopen(int object, int flags) override { return layer_->reopen(object, flags); }
  Result<std::string> get_object_xattr(int o, const char* a) override {
    return layer_->get_object_xattr(o, a);
  }
  Result<std::vector<std::string>> list_object_xattrs(int o) override {
    return layer_->list_object_xattrs(o);
  }

  Result<fs::Staged> stage(const fs::NewNode& what) override;
  Result<> publish(fs::Staged& staged, const fs::LayerDir& dir, const char* name, fs::Place place) override;
  Result<> copy_data(int from, int to, std::uint64_t size) override;
  Result<> set_owner(int object, uid_t uid, gid_t gid) override;
  Result<> set_mode(int object, mode_t mode) override;
  Result<> set_size(int object, std::uint64_t size) override;
  Result<> set_times(int object, std::span<const timespec, 2> times) override;
  Result<> set_xattr(int object, const char* attribute, std::string_view value, int flags) override;
  Result<> remove_xattr(int object, const char* attribute) override;
  Result<> set_opaque(int object) override;
  Result<> sync(int object) override;
  Result<> create(const fs::LayerDir& dir, const char* name, const fs::NewNode& what) override;
  Result<UniqueFd> create_file(const fs::LayerDir& dir, const char* name, mode_t mode) override;
  Result<> white_out(const fs::LayerDir& dir, const char* name, fs::Place place) override;
  Result<> remove(const fs::LayerDir& dir, const char* name, bool is_dir) override;
  Result<> rename(const fs::LayerDir& from, const char* name, const fs::LayerDir& to, const char* new_name,
                  unsigned flags) override;
  Result<> link(int object, const fs::LayerDir& dir, const char* name, fs::Place place) override;

 protected:
  fs::UpperLayer& inner() { return *layer_; }

 private:
  Result<> step() {
    if (countdown_ == 0 || --countdown_ != 0) return {};
    return fail(code_);
  }

  std::unique_ptr<fs::UpperLayer> layer_;
  unsigned countdown_ = 0;
  int code_ = 0;
};

}  // namespace nacre::test
