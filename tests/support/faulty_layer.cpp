// SPDX-License-Identifier: Apache-2.0
#include "tests/support/faulty_layer.h"

#include <cstdint>

namespace nacre::test {

using fs::LayerDir;
using fs::NewNode;
using fs::Place;
using fs::Staged;

Result<Staged> FaultyLayer::stage(const NewNode& what) {
  TRY(step());
  return inner().stage(what);
}
Result<> FaultyLayer::publish(Staged& staged, const LayerDir& dir, const char* name, Place place) {
  TRY(step());
  return inner().publish(staged, dir, name, place);
}
Result<> FaultyLayer::copy_data(int from, int to, std::uint64_t size) {
  TRY(step());
  return inner().copy_data(from, to, size);
}
Result<> FaultyLayer::set_owner(int object, uid_t uid, gid_t gid) {
  TRY(step());
  return inner().set_owner(object, uid, gid);
}
Result<> FaultyLayer::set_mode(int object, mode_t mode) {
  TRY(step());
  return inner().set_mode(object, mode);
}
Result<> FaultyLayer::set_size(int object, std::uint64_t size) {
  TRY(step());
  return inner().set_size(object, size);
}
Result<> FaultyLayer::set_times(int object, std::span<const timespec, 2> times) {
  TRY(step());
  return inner().set_times(object, times);
}
Result<> FaultyLayer::set_xattr(int object, const char* attribute, std::string_view value, int flags) {
  TRY(step());
  return inner().set_xattr(object, attribute, value, flags);
}
Result<> FaultyLayer::remove_xattr(int object, const char* attribute) {
  TRY(step());
  return inner().remove_xattr(object, attribute);
}
Result<> FaultyLayer::set_opaque(int object) {
  TRY(step());
  return inner().set_opaque(object);
}
Result<> FaultyLayer::sync(int object) {
  TRY(step());
  return inner().sync(object);
}
Result<> FaultyLayer::create(const LayerDir& dir, const char* name, const NewNode& what) {
  TRY(step());
  return inner().create(dir, name, what);
}
Result<UniqueFd> FaultyLayer::create_file(const LayerDir& dir, const char* name, mode_t mode) {
  TRY(step());
  return inner().create_file(dir, name, mode);
}
Result<> FaultyLayer::white_out(const LayerDir& dir, const char* name, Place place) {
  TRY(step());
  return inner().white_out(dir, name, place);
}
Result<> FaultyLayer::remove(const LayerDir& dir, const char* name, bool is_dir) {
  TRY(step());
  return inner().remove(dir, name, is_dir);
}
Result<> FaultyLayer::rename(const LayerDir& from, const char* name, const LayerDir& to, const char* new_name,
                             unsigned flags) {
  TRY(step());
  return inner().rename(from, name, to, new_name, flags);
}
Result<> FaultyLayer::link(int object, const LayerDir& dir, const char* name, Place place) {
  TRY(step());
  return inner().link(object, dir, name, place);
}

}  // namespace nacre::test
