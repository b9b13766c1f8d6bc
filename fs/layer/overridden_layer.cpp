// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/overridden_layer.h"

#include <unistd.h>

#include "base/scope_exit.h"
#include "fs/layer/object.h"

namespace nacre::fs {
namespace {

Result<struct stat> overridden(const OverrideAttribute& attribute, int object, struct stat attr) {
  if (attribute.fits(attr.st_mode)) TRY(attribute.apply(object::get_xattr(object, attribute.name()), attr));
  return attr;
}

mode_t mode_on_disk(mode_t mode) { return (mode & 0777) | (S_ISDIR(mode) ? 0700U : 0600U); }

}  // namespace

Result<struct stat> OverriddenLayer::stat_object(int object) {
  return overridden(attribute_, object, TRY(inner().stat_object(object)));
}
Result<struct stat> OverriddenUpper::stat_object(int object) {
  return overridden(attribute_, object, TRY(inner().stat_object(object)));
}

Result<> OverriddenUpper::write(int object, const struct stat& attr) {
  const auto text = format_stat_override(
      {.uid = attr.st_uid, .gid = attr.st_gid, .mode = attr.st_mode, .device = attr.st_rdev});
  // A symlink takes none of the user's attributes: its owner is what this process may make of it.
  if (S_ISLNK(attr.st_mode) && !attribute_.fits(S_IFLNK)) {
    static_cast<void>(inner().set_owner(object, attr.st_uid, attr.st_gid));
    return {};
  }
  return inner().set_xattr(object, attribute_.name(), text, 0);
}

Result<Staged> OverriddenUpper::stage(const NewNode& what) {
  NewNode real = what;
  const bool is_itself = S_ISDIR(what.mode) || S_ISLNK(what.mode);
  real.mode = (is_itself ? what.mode & S_IFMT : S_IFREG) | mode_on_disk(what.mode);
  real.device = 0;
  auto staged = TRY(inner().stage(real));
  ScopeExit undo{[&] { inner().discard(staged); }};
  staged.type = what.mode & S_IFMT;
  struct stat attr {};
  attr.st_uid = ::geteuid();
  attr.st_gid = ::getegid();
  attr.st_mode = what.mode;
  attr.st_rdev = what.device;
  TRY(write(staged.fd.get(), attr));
  undo.dismiss();
  return staged;
}

// As the file system itself would, had the directory the group and the bit that it is shown with.
Result<Staged> OverriddenUpper::stage_in(const LayerDir& dir, const NewNode& what) {
  auto staged = TRY(stage(what));
  ScopeExit undo{[&] { inner().discard(staged); }};
  const auto parent = TRY(stat(dir, "."));
  if ((parent.st_mode & S_ISGID) != 0) TRY(set_owner(staged.fd.get(), static_cast<uid_t>(-1), parent.st_gid));
  undo.dismiss();
  return staged;
}

Result<> OverriddenUpper::create(const LayerDir& dir, const char* name, const NewNode& what) {
  auto staged = TRY(stage_in(dir, what));
  ScopeExit undo{[&] { inner().discard(staged); }};
  TRY(inner().publish(staged, dir, name, Place::free));
  undo.dismiss();
  return {};
}

Result<UniqueFd> OverriddenUpper::create_file(const LayerDir& dir, const char* name, mode_t mode) {
  auto staged = TRY(stage_in(dir, {.mode = S_IFREG | (mode & 07777)}));
  ScopeExit undo{[&] { inner().discard(staged); }};
  TRY(inner().publish(staged, dir, name, Place::free));
  undo.dismiss();
  return std::move(staged.fd);
}

Result<> OverriddenUpper::set_owner(int object, uid_t uid, gid_t gid) {
  auto attr = TRY(stat_object(object));
  if (uid != static_cast<uid_t>(-1)) attr.st_uid = uid;
  if (gid != static_cast<gid_t>(-1)) attr.st_gid = gid;
  // As chown(2) of a file does.
  if (S_ISREG(attr.st_mode))
    attr.st_mode &= ~static_cast<mode_t>((attr.st_mode & S_IXGRP) != 0 ? S_ISUID | S_ISGID : S_ISUID);
  return write(object, attr);
}

Result<> OverriddenUpper::set_mode(int object, mode_t mode) {
  auto attr = TRY(stat_object(object));
  attr.st_mode = (attr.st_mode & S_IFMT) | (mode & 07777);
  TRY(write(object, attr));
  return inner().set_mode(object, mode_on_disk(attr.st_mode));
}

Result<std::string> OverriddenUpper::get_object_xattr(int object, const char* attribute) {
  const auto stored = attribute_.on_disk(attribute);
  return stored ? inner().get_object_xattr(object, stored->c_str()) : fail(ENODATA);
}

Result<std::vector<std::string>> OverriddenUpper::list_object_xattrs(int object) {
  return shown(TRY(inner().list_object_xattrs(object)));
}

Result<> OverriddenUpper::set_xattr(int object, const char* attribute, std::string_view value, int flags) {
  const auto stored = attribute_.on_disk(attribute);
  if (stored) return inner().set_xattr(object, stored->c_str(), value, flags);
  return fail(std::string_view(attribute).starts_with("system.") ? EOPNOTSUPP : EPERM);
}

Result<> OverriddenUpper::remove_xattr(int object, const char* attribute) {
  const auto stored = attribute_.on_disk(attribute);
  return stored ? inner().remove_xattr(object, stored->c_str()) : fail(ENODATA);
}

}  // namespace nacre::fs
