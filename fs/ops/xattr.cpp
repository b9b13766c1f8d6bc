// SPDX-License-Identifier: Apache-2.0
#include "fs/acl.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {

bool OverlayFs::maps_ids(const char* attribute) const {
  return !(users_.identity() && groups_.identity()) && is_acl(attribute);
}

Result<std::string> OverlayFs::getxattr(InodeId inode, const char* attribute) {
  auto value = TRY(get_stored_xattr(inode, attribute));
  if (!maps_ids(attribute)) return value;
  return with_ids(
      value, [&](std::uint32_t id) -> Result<std::uint32_t> { return users_.shown(id); },
      [&](std::uint32_t id) -> Result<std::uint32_t> { return groups_.shown(id); });
}

Result<std::string> OverlayFs::get_stored_xattr(InodeId inode, const char* attribute) {
  const auto node = TRY(table_.get(inode));
  const auto stored = attribute_on_disk(attribute);
  if (node.in_upper) {
    const auto target = TRY(object(inode));
    return upper_->get_object_xattr(target->get(), stored.c_str());
  }
  const LayerIndex index = node.is_dir() ? node.lowers.front() : node.layer;
  if (inode == kRootInode) return layer(index).get_xattr(*layer(index).root(), ".", stored.c_str());
  return located(inode, index, [&](const LayerDir& parent, Name name) {
    return layer(index).get_xattr(parent, name, stored.c_str());
  });
}

Result<std::string> OverlayFs::listxattr(InodeId inode) {
  const auto node = TRY(table_.get(inode));
  std::vector<std::string> stored;
  const LayerIndex index = node.in_upper ? kUpper : node.is_dir() ? node.lowers.front() : node.layer;
  if (node.in_upper) {
    const auto target = TRY(object(inode));
    stored = TRY(upper_->list_object_xattrs(target->get()));
  } else if (inode == kRootInode) {
    stored = TRY(layer(index).list_xattrs(*layer(index).root(), "."));
  } else {
    stored = TRY(located(inode, index, [&](const LayerDir& parent, Name name) {
      return layer(index).list_xattrs(parent, name);
    }));
  }
  std::string names;
  for (const auto& name : stored)
    if (const auto shown = attribute_shown(name)) names.append(*shown).push_back('\0');
  return names;
}

Result<> OverlayFs::setxattr(InodeId inode, const char* attribute, std::string_view value, int flags) {
  // Shown to nobody, so nobody sets it.
  if (std::string_view(attribute).starts_with(kFuseOverlayfsPrefix)) return fail(EPERM);
  std::string mapped;
  if (maps_ids(attribute)) {
    mapped = TRY(with_ids(
        value, [&](std::uint32_t id) { return users_.on_disk(id); },
        [&](std::uint32_t id) { return groups_.on_disk(id); }));
    value = mapped;
  }
  TRY(copy_up(inode, kNoData));
  const auto target = TRY(object(inode));
  return upper_->set_xattr(target->get(), attribute_on_disk(attribute).c_str(), value, flags);
}

Result<> OverlayFs::removexattr(InodeId inode, const char* attribute) {
  // What is not there is not worth a copy-up.
  TRY(get_stored_xattr(inode, attribute));
  TRY(copy_up(inode, kNoData));
  const auto target = TRY(object(inode));
  return upper_->remove_xattr(target->get(), attribute_on_disk(attribute).c_str());
}

}  // namespace nacre::fs
