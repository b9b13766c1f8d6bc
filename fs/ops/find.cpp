// SPDX-License-Identifier: Apache-2.0
// What a name means in a directory of several layers.
#include "fs/layer/markers.h"
#include "fs/overlay_fs.h"

namespace nacre::fs {
namespace {

Result<bool> exists(Layer& layer, const LayerDir& dir, const char* name) {
  const auto attr = layer.stat(dir, name);
  if (attr) return true;
  if (attr.error().code == ENOENT || attr.error().code == ENAMETOOLONG) return false;
  return std::unexpected(attr.error());
}

}  // namespace

// Looks into one lower layer. `stop` says that nothing below it counts any more; the result
// is whether the name was found here.
Result<bool> OverlayFs::find_in_lower(const View& view, std::size_t part, Name name, Found& found,
                                      bool& stop) {
  const auto& [index, dir] = view.lowers[part];
  Layer& lower = layer(index);
  const bool last = part + 1 == view.lowers.size();
  const auto attr = lower.stat(*dir, name);
  if (!attr && attr.error().code != ENOENT) return std::unexpected(attr.error());
  if (!attr || is_archive_marker(name)) {
    if (!last) stop = TRY(exists(lower, *dir, (std::string(kArchiveMarker) + name).c_str()));
    return false;
  }
  stop = true;
  if (is_whiteout(*attr)) return false;
  if (S_ISREG(attr->st_mode) && attr->st_size == 0 &&
      TRY(opacity(lower, *dir, false)) == Opacity::holds_xattr_whiteouts &&
      TRY(is_xattr_whiteout(lower, *dir, name)))
    return false;
  const bool have_dir = found.in_upper || !found.lowers.empty();
  if (!S_ISDIR(attr->st_mode)) {
    if (have_dir) return false;  // a file below a directory is hidden
    found.attr = *attr;
    found.layer = index;
    found.ino = numbers_.shown(attr->st_dev, attr->st_ino);
    return true;
  }
  stop = false;
  // A directory goes by the number of its topmost lower part: it keeps it over copy-up.
  if (found.lowers.empty()) found.ino = numbers_.shown(attr->st_dev, attr->st_ino);
  if (!have_dir) found.attr = *attr;
  found.lowers.push_back(index);
  // A marker of this layer's archive for the same name speaks of the layers below.
  if (!last) stop = TRY(exists(lower, *dir, (std::string(kArchiveMarker) + name).c_str()));
  return true;
}

Result<Found> OverlayFs::find(const View& view, Name name) {
  Found found;
  bool any = false;
  const auto upper = TRY(upper_entry(view, name));
  if (upper.state == UpperState::whiteout) return fail(ENOENT);
  if (upper.state == UpperState::present) {
    any = true;
    found.attr = upper.attr;
    found.in_upper = true;
    found.ino = found.is_dir() ? numbers_.shown(upper.attr.st_dev, upper.attr.st_ino)
                               : numbers_.shown_in_upper(upper.attr.st_dev, upper.attr.st_ino);
    if (!found.is_dir()) return found;
  }
  bool stop = false;
  for (std::size_t part = 0; part < view.lowers.size() && !stop; ++part)
    any = TRY(find_in_lower(view, part, name, found, stop)) || any;
  if (!any) return fail(ENOENT);
  if (found.lowers.size() + (found.in_upper ? 1 : 0) > 1) TRY(cut_at_opaque(view, name, found));
  return found;
}

// Of a directory found in several layers, nothing below an opaque one counts.
Result<> OverlayFs::cut_at_opaque(const View& view, Name name, Found& found) {
  if (found.in_upper) {
    const auto dir = TRY(upper_->open_dir(*view.upper, name));
    if (TRY(opacity(*upper_, *dir, false)) == Opacity::opaque) {
      found.lowers.clear();
      found.ino = numbers_.shown(found.attr.st_dev, found.attr.st_ino);
      return {};
    }
  }
  std::size_t keep = 0;
  for (const auto& [index, parent] : view.lowers) {
    if (keep + 1 >= found.lowers.size()) return {};  // nothing is below the last one
    if (found.lowers[keep] != index) continue;
    const auto dir = TRY(layer(index).open_dir(*parent, name));
    ++keep;
    if (TRY(opacity(layer(index), *dir, true)) == Opacity::opaque) break;
  }
  found.lowers.resize(keep);
  return {};
}

Result<bool> OverlayFs::shown_below(const View& view, Name name) {
  if (view.lowers.empty()) return false;
  const auto found = find(View{nullptr, view.lowers}, name);
  if (found) return true;
  if (found.error().code == ENOENT) return false;
  return std::unexpected(found.error());
}

}  // namespace nacre::fs
