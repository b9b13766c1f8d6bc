// SPDX-License-Identifier: Apache-2.0
#include "fs/layer/stat_override.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>

#include "base/parse.h"

namespace nacre::fs {
namespace {

constexpr const char* kContainers = "user.containers.override_stat";
constexpr const char* kFuseOverlayfs = "user.fuseoverlayfs.override_stat";
constexpr const char* kPrivileged = "security.fuseoverlayfs.override_stat";
constexpr std::string_view kEncoded = "user.containers.override_";
constexpr std::string_view kSecurity = "security.";
constexpr std::string_view kAcl = "system.posix_acl_";

struct TypeName {
  std::string_view name;
  mode_t type;
};
constexpr std::array<TypeName, 7> kTypes{{{"file", S_IFREG},
                                          {"dir", S_IFDIR},
                                          {"symlink", S_IFLNK},
                                          {"pipe", S_IFIFO},
                                          {"socket", S_IFSOCK},
                                          {"block", S_IFBLK},
                                          {"char", S_IFCHR}}};

bool is_device(mode_t mode) { return S_ISBLK(mode) || S_ISCHR(mode); }

}  // namespace

std::optional<StatOverride> parse_stat_override(std::string_view text) {
  const auto fields = split(text, ':');
  if (fields.size() < 3) return std::nullopt;
  const auto uid = parse_int<uid_t>(fields[0]);
  const auto gid = parse_int<gid_t>(fields[1]);
  const auto mode = parse_int<mode_t>(fields[2], 8);
  if (!uid || !gid || !mode) return std::nullopt;
  StatOverride override{.uid = *uid, .gid = *gid, .mode = *mode & 07777, .device = 0};
  if (fields.size() == 3) return override;
  const auto parts = split(fields[3], '-');
  const auto type = std::ranges::find(kTypes, parts[0], &TypeName::name);
  if (type == kTypes.end()) return std::nullopt;
  override.mode |= type->type;
  if (!is_device(override.mode)) return override;
  const auto number = [&](std::size_t part) {
    return part < parts.size() ? parse_int<unsigned>(parts[part]) : std::nullopt;
  };
  const auto major_number = number(1), minor_number = number(2);
  if (!major_number || !minor_number) return std::nullopt;
  override.device = ::makedev(*major_number, *minor_number);
  return override;
}

std::string format_stat_override(const StatOverride& override) {
  constexpr std::string_view kDigits = "01234567";
  std::string text = std::to_string(override.uid) + ":" + std::to_string(override.gid) + ":";
  for (int shift = 9; shift >= 0; shift -= 3) text += kDigits[override.mode >> shift & 7];
  const mode_t type = override.mode & S_IFMT;
  if (type == 0 || type == S_IFREG || type == S_IFDIR || type == S_IFLNK) return text;
  text.append(":").append(std::ranges::find(kTypes, type, &TypeName::type)->name);
  if (is_device(type))
    text += "-" + std::to_string(major(override.device)) + "-" + std::to_string(minor(override.device));
  return text;
}

std::optional<OverrideAttribute> OverrideAttribute::of(Layer& layer) {
  for (const auto& candidate :
       {containers(), OverrideAttribute(kFuseOverlayfs, false), OverrideAttribute::privileged()})
    if (layer.get_xattr(*layer.root(), ".", candidate.name_)) return candidate;
  return std::nullopt;
}

OverrideAttribute OverrideAttribute::containers() { return {kContainers, true}; }
OverrideAttribute OverrideAttribute::privileged() { return {kPrivileged, false}; }

Result<> OverrideAttribute::apply(const Result<std::string>& value, struct stat& attr) const {
  if (!value) {
    const int code = value.error().code;
    return code == ENODATA || code == EOPNOTSUPP ? Result<>{} : fail(code);
  }
  const auto override = parse_stat_override(*value);
  if (!override) return fail(EIO, std::string(name_) + " \"" + *value + "\" is not UID:GID:MODE[:TYPE]");
  attr.st_uid = override->uid;
  attr.st_gid = override->gid;
  if ((override->mode & S_IFMT) == 0) {
    attr.st_mode = (attr.st_mode & S_IFMT) | override->mode;
  } else {
    attr.st_mode = override->mode;
    if (is_device(override->mode)) attr.st_rdev = override->device;
  }
  return {};
}

// Files that are no files or directories have no attributes of the user's kind. xattr(7)
bool OverrideAttribute::fits(mode_t type) const {
  return S_ISREG(type) || S_ISDIR(type) || (S_ISLNK(type) && name_ == kPrivileged);
}

std::optional<std::string> OverrideAttribute::on_disk(std::string_view attribute) const {
  if (attribute == name_ || attribute.starts_with(kEncoded) || attribute.starts_with(kAcl))
    return std::nullopt;
  if (encodes_ && attribute.starts_with(kSecurity)) return std::string(kEncoded).append(attribute);
  return std::string(attribute);
}

std::optional<std::string> OverrideAttribute::shown(std::string_view on_disk) const {
  if (on_disk == name_ || on_disk.starts_with(kAcl)) return std::nullopt;
  if (encodes_ && on_disk.starts_with(kSecurity)) return std::nullopt;  // the host's own
  if (!on_disk.starts_with(kEncoded)) return std::string(on_disk);
  const auto rest = on_disk.substr(kEncoded.size());
  if (!encodes_ || !rest.starts_with(kSecurity)) return std::nullopt;
  return std::string(rest);
}

}  // namespace nacre::fs
