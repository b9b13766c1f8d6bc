// SPDX-License-Identifier: Apache-2.0
#include "fs/model/name_pool.h"

#include <bit>
#include <cstring>

namespace nacre::fs {
namespace {

// A name is stored as its length in one byte, then its characters.
std::size_t class_of(std::size_t length) {
  const std::size_t units = (length + 1 + 15) / 16;
  return static_cast<std::size_t>(std::bit_width(units - 1));
}

}  // namespace

// Sixteen million names of the smallest class take 256 MiB of address space.
NamePool::NamePool() : units_(std::size_t{1} << 26) { units_.grow(1); }

NamePool::Ref NamePool::add(std::string_view name) {
  const std::size_t size_class = class_of(name.size());
  Ref ref = free_[size_class];
  if (ref != 0) {
    std::memcpy(&free_[size_class], units_[ref].bytes.data(), sizeof(Ref));
  } else {
    ref = static_cast<Ref>(units_.size());
    units_.grow(units_.size() + (std::size_t{1} << size_class));
  }
  char* const place = units_[ref].bytes.data();
  *place = static_cast<char>(static_cast<unsigned char>(name.size()));
  std::memcpy(place + 1, name.data(), name.size());
  return ref;
}

void NamePool::remove(Ref name) {
  const std::size_t size_class = class_of(get(name).size());
  std::memcpy(units_[name].bytes.data(), &free_[size_class], sizeof(Ref));
  free_[size_class] = name;
}

std::string_view NamePool::get(Ref name) const {
  const char* const place = units_[name].bytes.data();
  return {place + 1, static_cast<unsigned char>(*place)};
}

}  // namespace nacre::fs
