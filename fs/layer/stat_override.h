// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

#include "fs/layer/layer.h"

// Owner, mode and type of files that a server without rights cannot make as they should be: an
// attribute of the file says them. Image stores write it with `force_mask`, and fuse-overlayfs
// with `xattr_permissions`. Source: containers-storage.conf(5), fuse-overlayfs(1).
namespace nacre::fs {

struct StatOverride {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;   // without a type: that of the file itself
  dev_t device = 0;  // with the type of a device
};

// "UID:GID:MODE[:TYPE]": the mode in octal; TYPE is file, dir, symlink, pipe, socket, block-MAJOR-MINOR
// or char-MAJOR-MINOR. Nothing: it is none of these.
std::optional<StatOverride> parse_stat_override(std::string_view text);
// The type is written where the file itself cannot have it.
std::string format_stat_override(const StatOverride& override);

// The attribute that one layer uses, and what it makes of the names of others.
class OverrideAttribute {
 public:
  // What the root of a layer has; nothing: the layer overrides nothing.
  static std::optional<OverrideAttribute> of(Layer& layer);
  static OverrideAttribute containers();  // "user.containers.override_stat"
  static OverrideAttribute privileged();  // "security.fuseoverlayfs.override_stat"

  const char* name() const { return name_; }
  // Puts what the attribute says in place of what the file itself says. `value` is the attribute's,
  // ENODATA if there is none. EIO: it cannot be understood.
  Result<> apply(const Result<std::string>& value, struct stat& attr) const;
  // Whether an object of this type can have the attribute.
  bool fits(mode_t type) const;

  // Where another attribute is kept: "security.x" as "user.containers.override_security.x", because
  // it takes rights to write. Nothing: it is not for users, or has no meaning here (access control
  // lists, whose identifiers are those of the file itself).
  std::optional<std::string> on_disk(std::string_view attribute) const;
  std::optional<std::string> shown(std::string_view on_disk) const;

 private:
  OverrideAttribute(const char* name, bool encodes) : name_(name), encodes_(encodes) {}
  const char* name_;
  bool encodes_;  // security.* are kept elsewhere
};

}  // namespace nacre::fs
