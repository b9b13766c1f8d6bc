// SPDX-License-Identifier: Apache-2.0
#include "procfs/sample/disk_numbers.h"

#include <string>

#include "base/parse.h"

namespace nacre::procfs {
namespace {

constexpr const char* kDisks = "disks/";  // in the state: "disks/254:0" -> "3"

}  // namespace

DiskNumbers::DiskNumbers(StateFile* state) : state_(state) {
  if (state_ == nullptr) return;
  for (const auto& [key, text] : state_->entries_below(kDisks)) {
    const auto device = split(std::string_view(key).substr(std::string_view(kDisks).size()), ':');
    if (device.size() != 2) continue;
    const auto major = parse_int<unsigned>(device[0]), minor = parse_int<unsigned>(device[1]);
    const auto number = parse_int<std::uint16_t>(text);
    if (major && minor && number) numbers_[{*major, *minor}] = *number;
  }
}

std::optional<std::uint16_t> DiskNumbers::of(unsigned major, unsigned minor) {
  const std::lock_guard lock(mutex_);
  const std::pair device{major, minor};
  if (const auto known = numbers_.find(device); known != numbers_.end()) return known->second;
  if (numbers_.size() > UINT16_MAX) return std::nullopt;
  const auto number = static_cast<std::uint16_t>(numbers_.size());
  const auto key = kDisks + std::to_string(major) + ":" + std::to_string(minor);
  if (state_ != nullptr && !state_->put(key, std::to_string(number))) return std::nullopt;
  numbers_[device] = number;
  return number;
}

}  // namespace nacre::procfs
