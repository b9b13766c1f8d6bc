// SPDX-License-Identifier: Apache-2.0
#include "fs/model/id_map.h"

#include "base/parse.h"

namespace nacre::fs {

Result<IdMap> IdMap::parse(std::string_view text, std::uint32_t overflow) {
  IdMap map;
  map.overflow_ = overflow;
  std::vector<std::uint32_t> numbers;
  for (const auto field : split(text, ':')) {
    if (field.empty()) continue;
    const auto number = parse_int<std::uint32_t>(field);
    if (!number) return fail(EINVAL);
    numbers.push_back(*number);
  }
  if (numbers.empty() || numbers.size() % 3 != 0) return fail(EINVAL);
  for (std::size_t i = 0; i < numbers.size(); i += 3) {
    const Range range{.on_disk = numbers[i], .shown = numbers[i + 1], .count = numbers[i + 2]};
    if (range.count == 0 || range.on_disk > UINT32_MAX - range.count ||
        range.shown > UINT32_MAX - range.count)
      return fail(EINVAL);
    map.ranges_.push_back(range);
  }
  return map;
}

IdMap IdMap::squash(std::uint32_t id) {
  IdMap map;
  map.squash_ = id;
  return map;
}

std::uint32_t IdMap::shown(std::uint32_t on_disk) const {
  if (squash_) return *squash_;
  for (const auto& range : ranges_)
    if (on_disk >= range.on_disk && on_disk - range.on_disk < range.count)
      return range.shown + (on_disk - range.on_disk);
  return ranges_.empty() ? on_disk : overflow_;
}

Result<std::uint32_t> IdMap::on_disk(std::uint32_t shown) const {
  if (squash_) return *squash_;
  for (const auto& range : ranges_)
    if (shown >= range.shown && shown - range.shown < range.count)
      return range.on_disk + (shown - range.shown);
  if (!ranges_.empty()) return fail(EOVERFLOW);
  return shown;
}

}  // namespace nacre::fs
