// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tests/support/faulty_layer.h"

namespace nacre::test {

// An upper layer with one deliberate defect, to show that the differential fuzzer finds it.
class DefectiveLayer final : public FaultyLayer {
 public:
  // The names of the defects; each is described where it is done.
  static std::span<const std::string_view> defects();

  DefectiveLayer(std::unique_ptr<fs::UpperLayer> layer, std::string defect)
      : FaultyLayer(std::move(layer)), defect_(std::move(defect)) {}

  Result<std::vector<sys::DirEntry>> list(const fs::LayerDir& dir) override;
  Result<std::string> read_link(const fs::LayerDir& dir, const char* name) override;
  Result<UniqueFd> open(const fs::LayerDir& dir, const char* name, int flags) override;
  Result<UniqueFd> reopen(int object, int flags) override;
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
  fs::DirRef index() const override;
  Result<> create(const fs::LayerDir& dir, const char* name, const fs::NewNode& what) override;
  Result<> white_out(const fs::LayerDir& dir, const char* name, fs::Place place) override;
  Result<> rename(const fs::LayerDir& from, const char* name, const fs::LayerDir& to, const char* new_name,
                  unsigned flags) override;
  Result<> link(int object, const fs::LayerDir& dir, const char* name, fs::Place place) override;

 private:
  bool has(std::string_view defect) const { return defect_ == defect; }
  fs::NewNode changed(const fs::NewNode& what);

  std::string defect_;
  std::string target_;
};

}  // namespace nacre::test
