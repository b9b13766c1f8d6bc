// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "fs/layer/forwarding_layer.h"

namespace nacre::test {

// An upper layer whose n-th changing call fails with an errno of the test's choice, as a
// full or broken disk does. Reading is never disturbed, nor is undoing.
class FaultyLayer : public fs::ForwardingUpper {
 public:
  using ForwardingUpper::ForwardingUpper;

  // From now on the `number`-th call fails (1 is the next one), once.
  void fail_call(unsigned number, int code) {
    countdown_ = number;
    code_ = code;
  }
  void stop_failing() { countdown_ = 0; }
  // Whether the failure has happened.
  bool failed() const { return countdown_ == 0; }

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

 private:
  Result<> step() {
    if (countdown_ == 0 || --countdown_ != 0) return {};
    return fail(code_);
  }

  unsigned countdown_ = 0;
  int code_ = 0;
};

}  // namespace nacre::test
