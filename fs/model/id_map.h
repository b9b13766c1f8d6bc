// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nacre::fs {

// User or group ids on disk and as the mount shows them. Immutable.
class IdMap {
 public:
  IdMap() = default;  // all ids are shown as they are

  // "DISK:SHOWN:COUNT:DISK:SHOWN:COUNT…"; empty fields are skipped, because containers/storage
  // writes a colon in front. `overflow` is shown for an id that is in no range, as
  // /proc/sys/kernel/overflowuid is by the kernel.
  static Result<IdMap> parse(std::string_view text, std::uint32_t overflow);
  // Everything belongs to one id, in the mount and on disk.
  static IdMap squash(std::uint32_t id);

  bool identity() const { return ranges_.empty() && !squash_; }
  std::uint32_t shown(std::uint32_t on_disk) const;
  // What a copy of something that belongs to `on_disk` is given.
  std::uint32_t kept(std::uint32_t on_disk) const { return squash_.value_or(on_disk); }
  // Of whoever makes something: an id that has no place on disk is stored as the overflow id.
  std::uint32_t maker_on_disk(std::uint32_t shown) const {
    const auto stored = on_disk(shown);
    return stored ? *stored : overflow_;
  }
  // EOVERFLOW for an id that has no place on disk (as open(2) of the kernel).
  Result<std::uint32_t> on_disk(std::uint32_t shown) const;

 private:
  struct Range {
    std::uint32_t on_disk;
    std::uint32_t shown;
    std::uint32_t count;
  };
  std::vector<Range> ranges_;
  std::optional<std::uint32_t> squash_;
  std::uint32_t overflow_ = 65534;
};

}  // namespace nacre::fs
