// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "fs/model/flat_array.h"

namespace nacre::fs {

// File names in one flat array, addressed by number. A freed name's place is reused by
// one of the same size class. Not thread-safe.
class NamePool {
 public:
  using Ref = std::uint32_t;  // in units of kUnit; 0 is no name

  NamePool();
  Ref add(std::string_view name);  // at most 255 bytes
  void remove(Ref name);
  // Valid until the name is removed.
  std::string_view get(Ref name) const;
  void swap(NamePool& other) noexcept {
    units_.swap(other.units_);
    free_.swap(other.free_);
  }

 private:
  static constexpr std::size_t kUnit = 16;
  static constexpr std::size_t kClasses = 5;  // 16, 32, 64, 128 and 256 bytes
  struct Unit {
    std::array<char, kUnit> bytes;
  };

  FlatArray<Unit> units_;
  std::array<Ref, kClasses> free_{};
};

}  // namespace nacre::fs
