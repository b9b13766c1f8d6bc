// SPDX-License-Identifier: Apache-2.0
#include "fs/acl.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cstdint>
#include <cstring>

namespace nacre::fs {
namespace {

constexpr std::size_t kHeader = sizeof(posix_acl_xattr_header);
constexpr std::size_t kEntry = sizeof(posix_acl_xattr_entry);

// Takes away from a permission triple what the caller did not ask for, and from the mode
// what the list does not allow.
void restrict(posix_acl_xattr_entry& entry, mode_t& mode, unsigned shift) {
  const mode_t asked = mode >> shift & 7;
  const auto both = static_cast<mode_t>(le16toh(entry.e_perm) & asked);
  entry.e_perm = htole16(static_cast<std::uint16_t>(both));
  mode = (mode & ~(mode_t{7} << shift)) | both << shift;
}

}  // namespace

std::optional<Inherited> inherit(std::string_view default_acl, mode_t mode) {
  posix_acl_xattr_header header{};
  if (default_acl.size() < kHeader || (default_acl.size() - kHeader) % kEntry != 0) return std::nullopt;
  std::memcpy(&header, default_acl.data(), kHeader);
  if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION) return std::nullopt;

  std::string access(default_acl);
  std::size_t group_at = 0, mask_at = 0;
  bool extended = false;
  for (std::size_t at = kHeader; at < access.size(); at += kEntry) {
    posix_acl_xattr_entry entry{};
    std::memcpy(&entry, access.data() + at, kEntry);
    switch (le16toh(entry.e_tag)) {
      case ACL_USER_OBJ: restrict(entry, mode, 6); break;
      case ACL_OTHER: restrict(entry, mode, 0); break;
      case ACL_GROUP_OBJ: group_at = at; break;
      case ACL_MASK:
        mask_at = at;
        extended = true;
        break;
      case ACL_USER:
      case ACL_GROUP: extended = true; break;
      default: return std::nullopt;
    }
    std::memcpy(access.data() + at, &entry, kEntry);
  }
  // The group bits of the mode are the mask's where there is one.
  const std::size_t at = mask_at != 0 ? mask_at : group_at;
  if (at == 0) return std::nullopt;
  posix_acl_xattr_entry entry{};
  std::memcpy(&entry, access.data() + at, kEntry);
  restrict(entry, mode, 3);
  std::memcpy(access.data() + at, &entry, kEntry);
  return Inherited{mode, extended ? std::optional(std::move(access)) : std::nullopt};
}

Result<std::string> with_ids(std::string_view list, const ChangeId& user, const ChangeId& group) {
  if (list.size() < kHeader || (list.size() - kHeader) % kEntry != 0) return fail(EINVAL);
  std::string changed(list);
  for (std::size_t at = kHeader; at < changed.size(); at += kEntry) {
    posix_acl_xattr_entry entry{};
    std::memcpy(&entry, changed.data() + at, kEntry);
    const auto tag = le16toh(entry.e_tag);
    if (tag != ACL_USER && tag != ACL_GROUP) continue;
    entry.e_id = htole32(TRY((tag == ACL_USER ? user : group)(le32toh(entry.e_id))));
    std::memcpy(changed.data() + at, &entry, kEntry);
  }
  return changed;
}

}  // namespace nacre::fs
