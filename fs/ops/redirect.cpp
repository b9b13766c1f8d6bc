// SPDX-License-Identifier: Apache-2.0
// Objects that lie elsewhere in lower layers than where they are shown: directories that were
// renamed ("overlay.redirect") and files whose data stayed below ("overlay.metacopy").
// Source: Documentation/filesystems/overlayfs.rst, "redirect_dir" and "Metadata only copy up".
#include <fcntl.h>

#include <algorithm>

#include "base/parse.h"
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {
namespace {

// As kernel overlayfs's module parameter redirect_max.
constexpr std::size_t kLongestRedirect = 256;

std::string last_part(std::string_view path) {
  return std::string(path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1));
}

}  // namespace

// The directory in which `path`, from a layer's root, has its last part. `opaque` says that one
// on the way hides what lies below it in other layers. ENOENT, ENOTDIR.
Result<DirRef> OverlayFs::open_above(LayerIndex index, std::string_view path, bool& opaque) {
  auto at = layer(index).root();
  auto parts = split(path, '/');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i].empty()) continue;
    const std::string part(parts[i]);
    if (layer(index).stat(*at, marker_of(part).c_str())) opaque = true;
    const auto attr = TRY(layer(index).stat(*at, part.c_str()));
    // A whiteout, or a file that hides directories below.
    if (!S_ISDIR(attr.st_mode)) {
      opaque = true;
      return fail(ENOENT);
    }
    at = TRY(layer(index).open_dir(*at, part.c_str()));
    if (TRY(traits(layer(index), *at, ".")).opaque || TRY(has_archive_opaque(layer(index), *at)))
      opaque = true;
  }
  return at;
}

// Where lower layers have a directory, as a path from their roots.
Result<std::string> OverlayFs::lower_path(InodeId inode) {
  std::string path;
  for (auto at = inode; at != kRootInode;) {
    const auto node = TRY(table_.get(at));
    if (node.is_dir() && !node.lowers.empty())
      if (const auto detour = detours_.find(at, node.lowers.front()))
        return path.empty() ? *detour : *detour + "/" + path;
    const auto place = TRY(table_.location(at));
    path = path.empty() ? place.name() : std::string(place.name()) + "/" + path;
    at = place.parent;
  }
  return path;
}

// A directory that a layer has under another name than it is shown by.
Result<DirRef> OverlayFs::open_detour(LayerIndex index, const std::string& path) {
  bool opaque = false;
  const auto above = TRY(open_above(index, path, opaque));
  return layer(index).open_dir(*above, last_part(path).c_str());
}

// Before it moves: what lower layers have of it is found where it is now.
Result<> OverlayFs::set_redirect(const Node& node, int object) {
  const auto attribute = own_attribute("redirect");
  const auto path = TRY(lower_path(node.id));
  if (const auto known = upper_->get_object_xattr(object, attribute.c_str());
      !known || !known->starts_with('/')) {
    if (path.size() + 1 > kLongestRedirect) return fail(EXDEV);
    TRY(upper_->set_xattr(object, attribute.c_str(), "/" + path, 0));
  }
  if (!node.is_dir()) return {};
  std::vector<Detours::Place> places;
  for (const auto index : node.lowers)
    places.push_back({index, detours_.find(node.id, index).value_or(path)});
  detours_.put(node.id, std::move(places));
  return {};
}

// Whatever the mount's options are: an earlier one may have left it so.
bool OverlayFs::lacks_data(int object) {
  return std::ranges::any_of(kOwnPrefixes, [&](std::string_view prefix) {
    return upper_->get_object_xattr(object, std::string(prefix).append("metacopy").c_str()).has_value();
  });
}

// The same for a file that is to get another name, if its data stayed below.
Result<> OverlayFs::set_data_redirect(const Node& node, int object) {
  return S_ISREG(node.type) && lacks_data(object) ? set_redirect(node, object) : Result<>{};
}

// --- data ---------------------------------------------------------------------------------

// Only what is a file is opened: opening a device does something, and an image could name one.
UniqueFd OverlayFs::open_regular(LayerIndex index, const LayerDir& dir, const char* name) {
  const auto attr = layer(index).stat(dir, name);
  if (!attr || !S_ISREG(attr->st_mode)) return {};
  auto opened = layer(index).open(dir, name, O_RDONLY);
  return opened ? std::move(*opened) : UniqueFd{};
}

// The data that a file without data of its own stands for: the first file with data under its
// redirect, or else under its own name, in a layer below `above`.
Result<UniqueFd> OverlayFs::open_data_below(const Node& node, LayerIndex above, int file) {
  std::string redirect = redirect_of(file).value_or("");
  // The directory may have been removed since, but not from lower layers.
  const auto place = TRY(table_.location(node.id));
  const auto parents = TRY(table_.get(place.parent)).lowers;
  for (auto index = std::max(lowers_.top(), static_cast<LayerIndex>(above + 1)); index <= lowers_.last();
       ++index) {
    UniqueFd data;
    if (redirect.starts_with('/')) {
      bool opaque = false;
      const auto afar = open_above(index, redirect, opaque);
      if (afar) data = open_regular(index, **afar, last_part(redirect).c_str());
    } else if (std::ranges::find(parents, index) != parents.end()) {
      const auto beside = TRY(dir(place.parent, index));
      data = open_regular(index, *beside, redirect.empty() ? place.name() : redirect.c_str());
    }
    if (!data) continue;
    if (!is_metadata_only(data.get())) return data;
    if (auto next = redirect_of(data.get())) redirect = std::move(*next);
  }
  // Serving the empty file instead of data that is nowhere would be silent damage.
  return fail(EIO);
}

// Gives a file of the upper the data that it has been without, before it is cut to `size`.
Result<> OverlayFs::complete_copy(InodeId inode, std::uint64_t size) {
  const auto node = TRY(table_.get(inode));
  if (!node.in_upper || !S_ISREG(node.type)) return {};
  const auto target = TRY(object(inode));
  if (!lacks_data(target->get())) return {};
  const CopyUpLocks::Held busy(copy_up_locks_, inode);
  if (!lacks_data(target->get())) return {};  // somebody else did it

  const auto attr = TRY(upper_->stat_object(target->get()));
  auto to = TRY(upper_->reopen(target->get(), O_RDWR));
  if (size == 0) {
    // Of a file without length nobody wants the data, whatever the attributes say.
    TRY(upper_->set_size(to.get(), 0));
  } else {
    // All of it: a file shows its full length at any moment until it is cut.
    const auto from = TRY(open_data_below(node, kUpper, to.get()));
    // Writing takes capabilities away, and from an ordinary user's files set-id bits.
    const auto capability = upper_->get_object_xattr(to.get(), "security.capability");
    TRY(upper_->copy_data(from.get(), to.get(), static_cast<std::uint64_t>(attr.st_size)));
    if ((attr.st_mode & (S_ISUID | S_ISGID)) != 0) TRY(upper_->set_mode(to.get(), attr.st_mode));
    if (capability) TRY(upper_->set_xattr(to.get(), "security.capability", *capability, 0));
    const timespec times[]{attr.st_atim, attr.st_mtim};
    TRY(upper_->set_times(to.get(), times));
    if (sync_) TRY(upper_->sync(to.get()));
  }
  for (const auto prefix : kOwnPrefixes) {
    const auto removed = upper_->remove_xattr(to.get(), std::string(prefix).append("metacopy").c_str());
    const int code = removed ? 0 : removed.error().code;
    if (size != 0 && code != 0 && code != ENODATA && code != EOPNOTSUPP && code != EPERM) return removed;
    static_cast<void>(upper_->remove_xattr(to.get(), std::string(prefix).append("redirect").c_str()));
  }

  const auto file = files_.find(inode);
  if (!file) return {};
  const std::lock_guard lock(file->mutex);
  if (file->handles == 0) return {};
  file->data = std::make_shared<const UniqueFd>(std::move(to));
  file->writable = true;
  file->borrowed = false;
  file->set_id = (attr.st_mode & (S_ISUID | S_ISGID)) != 0;
  return {};
}

}  // namespace nacre::fs
