// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// POSIX access control lists as the kernel stores them in xattrs (linux/posix_acl_xattr.h).
namespace nacre::fs {

inline constexpr const char* kAccessAcl = "system.posix_acl_access";
inline constexpr const char* kDefaultAcl = "system.posix_acl_default";

struct Inherited {
  mode_t mode = 0;
  // The new file's own list; nothing when the mode says it all.
  std::optional<std::string> access;
};

// What a new file gets of its directory's default list: the rule of acl(5), "object
// creation and default ACLs". Nothing for a list that is malformed.
std::optional<Inherited> inherit(std::string_view default_acl, mode_t mode);

inline bool is_acl(std::string_view attribute) { return attribute == kAccessAcl || attribute == kDefaultAcl; }

// The list with the ids of its named users and groups changed. EINVAL for a malformed one.
using ChangeId = std::function<Result<std::uint32_t>(std::uint32_t)>;
Result<std::string> with_ids(std::string_view list, const ChangeId& user, const ChangeId& group);

}  // namespace nacre::fs
